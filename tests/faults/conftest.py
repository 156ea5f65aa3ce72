"""One stack with replicas and short leases for all fault tests, checked after each of them.

It is shared because starting one costs more than most of the tests; each test ends with the
stack as it found it, or fails.
"""

import os
import random
from collections.abc import AsyncIterator, Generator
from dataclasses import replace
from typing import Any

import pytest

from deploy.local.programs import SERVICES
from tests.e2e.client import Api
from tests.e2e.world import World, running
from tests.faults.balancer import Balancer, balanced

REPLICAS = dict.fromkeys(SERVICES, 2)
SHORT_LEASES = {
    "CUEAPI_ATTEMPT_LEASE_MARGIN_SECONDS": "1",
    "WORKER_CLAIM_TIMEOUT_SECONDS": "2",
    "WORKER_HEARTBEAT_TIMEOUT_SECONDS": "2",
}


@pytest.fixture(scope="session")
async def fault_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    data_dir = tmp_path_factory.mktemp("faults")
    async with (
        running(data_dir, replicas=REPLICAS, env=SHORT_LEASES) as world,
        balanced(Balancer(world.stack.services["api"])) as http,
    ):
        yield replace(world, http=http)


@pytest.fixture
async def world(fault_world: World) -> AsyncIterator[World]:
    """The world; when the test is over everything runs, and the invariants hold."""
    yield fault_world
    assert fault_world.down() == []
    await fault_world.check()


@pytest.fixture
async def api(world: World) -> Api:
    """A client of an account of the test's own."""
    return await world.account()


@pytest.fixture
def dice() -> random.Random:
    """Randomness from a seed that is printed; set CUEAPI_SEED to repeat a run."""
    seed = int(os.environ.get("CUEAPI_SEED") or random.SystemRandom().randrange(10**9))
    print(f"CUEAPI_SEED={seed}")
    return random.Random(seed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    world = (item.funcargs or {}).get("world")
    if report.failed and isinstance(world, World):
        report.sections.append(("last lines of every process", world.last_words()))
    return report
