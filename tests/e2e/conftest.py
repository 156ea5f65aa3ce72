"""One stack for all end-to-end tests, checked after each of them."""

from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

from tests.e2e.client import Api
from tests.e2e.world import World, running


@pytest.fixture(scope="session")
async def e2e_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("e2e")) as world:
        yield world


@pytest.fixture
async def world(e2e_world: World) -> AsyncIterator[World]:
    """The world, whose invariants are checked when the test is over."""
    yield e2e_world
    await e2e_world.check()


@pytest.fixture
async def api(world: World) -> Api:
    """A client of an account of the test's own."""
    return await world.account()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    world = (item.funcargs or {}).get("world")
    if report.failed and isinstance(world, World):
        report.sections.append(("last lines of every process", world.last_words()))
    return report
