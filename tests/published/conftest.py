"""Published clients against the embedded stack. Only `make test-published` collects these."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.client import Api
from tests.e2e.world import World, running
from tests.published.leases import LEASE_SECONDS
from tests.published.packages import CLI, SDK, WORKER, installed
from tests.published.programs import CommandLine, Daemons, Python

collect_ignore_glob = [] if os.environ.get("CUEAPI_TEST_PUBLISHED") else ["test_*.py"]


@pytest.fixture(scope="session")
async def published_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    env = {
        "WORKER_HEARTBEAT_TIMEOUT_SECONDS": str(LEASE_SECONDS),
        "WORKER_CLAIM_TIMEOUT_SECONDS": str(LEASE_SECONDS),
    }
    async with running(tmp_path_factory.mktemp("published"), env=env) as world:
        yield world


@pytest.fixture
async def world(published_world: World) -> AsyncIterator[World]:
    """The stack, with short leases; no service has complained when the test is over."""
    yield published_world
    assert published_world.complaints() == []


@pytest.fixture
async def api(world: World) -> Api:
    """A client of an account of the test's own."""
    return await world.account()


@pytest.fixture(scope="session")
def cli_programs() -> Path:
    return installed(CLI)


@pytest.fixture(scope="session")
def sdk_programs() -> Path:
    return installed(SDK)


@pytest.fixture(scope="session")
def worker_programs() -> Path:
    return installed(WORKER)


@pytest.fixture
def cueapi(world: World, api: Api, cli_programs: Path, tmp_path: Path) -> CommandLine:
    """The published `cueapi`, with the account's key in its environment."""
    base = f"{world.stack.base_url}/v1"
    return CommandLine(cli_programs / "cueapi", tmp_path, base, api.key)


@pytest.fixture
def stranger(world: World, cli_programs: Path, tmp_path: Path) -> CommandLine:
    """The published `cueapi` of who has not signed in."""
    return CommandLine(cli_programs / "cueapi", tmp_path, f"{world.stack.base_url}/v1", None)


@pytest.fixture
def sdk(world: World, api: Api, sdk_programs: Path, tmp_path: Path) -> Python:
    """Programs on the published SDK."""
    assert api.key is not None
    return Python(sdk_programs / "python", tmp_path, world.stack.base_url, api.key)


@pytest.fixture
def daemons(world: World, api: Api, worker_programs: Path, tmp_path: Path) -> Daemons:
    """The published `cueapi-worker`."""
    assert api.key is not None
    return Daemons(worker_programs / "cueapi-worker", tmp_path, world.stack.base_url, api.key)
