"""One stack for all end-to-end tests, checked after each of them."""

from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.client import Api, JsonObject
from tests.e2e.receiver import Answer, Hook
from tests.e2e.world import World, running


@pytest.fixture(scope="session")
async def e2e_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("e2e")) as world:
        yield world


@dataclass(frozen=True)
class Minutely:
    """A cue which is due at every minute."""

    api: Api
    hook: Hook
    cue: JsonObject


@pytest.fixture(scope="session")
async def minutely(e2e_world: World) -> Minutely:
    """Made before the first test, so that the last one need not wait long for the minute."""
    api = await e2e_world.account()
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    schedule = {"type": "recurring", "cron": "* * * * *", "timezone": "Europe/Berlin"}
    return Minutely(api, hook, await api.webhook_cue(hook, schedule=schedule))


@pytest.fixture
async def world(e2e_world: World, minutely: Minutely) -> AsyncIterator[World]:
    """The world; when the test is over its invariants hold, and no service has complained."""
    yield e2e_world
    await e2e_world.check()
    assert e2e_world.complaints() == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == "test_minutely.py")


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
