from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from libs.runtime.health import Health
from libs.runtime.supervisor import Opened, Part, stopping, supervise

SECONDS = 10.0


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, instead of on the terminal."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture(autouse=True)
async def signals() -> AsyncIterator[None]:
    """Let Ctrl-C end the tests again."""
    yield
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


class Working:
    """Works until it is cancelled, and tells what it does."""

    def __init__(self, name: str, told: list[str], finishing: asyncio.Event | None = None) -> None:
        self.name = name
        self.started = asyncio.Event()
        self.stopping = asyncio.Event()
        self.told = told
        self._finishing = finishing

    async def run(self) -> None:
        self.told.append(f"{self.name} starts")
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.told.append(f"{self.name} stops")
            self.stopping.set()
            if self._finishing is not None:
                await self._finishing.wait()
                self.told.append(f"{self.name} has finished")


class Ending:
    """Ends by itself."""

    name = "ending"

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error

    async def run(self) -> None:
        if self._error is not None:
            raise self._error


def supervised(
    *parts: Part, health: Health | None = None, grace: float = SECONDS
) -> asyncio.Task[int]:
    return asyncio.create_task(supervise(parts, health or Health(), grace=grace))


async def code_of(process: asyncio.Task[int]) -> int:
    async with asyncio.timeout(SECONDS):
        return await process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_ends_the_parts_last_to_first_with_code_0(
    number: signal.Signals,
) -> None:
    told: list[str] = []
    parts = [Working(name, told) for name in ("one", "two", "three")]
    process = supervised(*parts)
    await parts[-1].started.wait()
    os.kill(os.getpid(), number)
    assert await code_of(process) == 0
    assert told[:3] == ["one starts", "two starts", "three starts"]
    assert told[3:] == ["three stops", "two stops", "one stops"]


async def test_a_part_finishes_what_it_has_in_hand_before_the_next_one_stops() -> None:
    told: list[str] = []
    release = asyncio.Event()
    first, last = Working("first", told), Working("last", told, finishing=release)
    process = supervised(first, last)
    await last.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await last.stopping.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert "first stops" not in told
    release.set()
    assert await code_of(process) == 0
    assert told[2:] == ["last stops", "last has finished", "first stops"]


async def test_a_part_that_does_not_finish_is_left_behind(
    logs: list[MutableMapping[str, Any]],
) -> None:
    told: list[str] = []
    release = asyncio.Event()
    first, last = Working("first", told), Working("last", told, finishing=release)
    process = supervised(first, last, grace=0.05)
    await last.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await code_of(process) == 0
    assert told[2:] == ["last stops", "first stops"]
    assert [line["part"] for line in logs if "in time" in line["event"]] == ["last"]
    release.set()


@pytest.mark.parametrize(
    "ending",
    [Ending(), Ending(ZeroDivisionError("boom")), Ending(asyncio.CancelledError())],
    ids=["returns", "raises", "cancels itself"],
)
async def test_a_part_that_ends_by_itself_ends_the_process_with_code_1(
    ending: Ending, logs: list[MutableMapping[str, Any]]
) -> None:
    told: list[str] = []
    assert await code_of(supervised(Working("other", told), ending)) == 1
    assert told[-1] == "other stops"
    assert [line["part"] for line in logs if line["event"] == "part ended"] == ["ending"]


async def test_a_part_that_fails_while_stopping_does_not_keep_the_others_from_it(
    logs: list[MutableMapping[str, Any]],
) -> None:
    class Clumsy(Working):
        @override
        async def run(self) -> None:
            try:
                await super().run()
            finally:
                raise ZeroDivisionError

    told: list[str] = []
    first, last = Working("first", told), Clumsy("last", told)
    process = supervised(first, last)
    await last.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await code_of(process) == 0
    assert told[-1] == "first stops"
    assert [line["part"] for line in logs if "failed" in line["event"]] == ["last"]


async def test_work_is_accepted_from_the_start_to_the_stop() -> None:
    health = Health()
    seen: list[bool] = []

    class Watching(Working):
        @override
        async def run(self) -> None:
            try:
                await super().run()
            finally:
                seen.append(health.accepting)

    part = Watching("part", [])
    before = health.accepting
    process = supervised(part, health=health)
    await part.started.wait()
    during = health.accepting
    os.kill(os.getpid(), signal.SIGTERM)
    await code_of(process)
    assert [before, during, *seen] == [False, True, False]


async def test_a_resource_is_open_as_long_as_the_process_runs() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def resource() -> AsyncIterator[None]:
        told.append("opened")
        try:
            yield
        finally:
            told.append("closed")

    part = Working("part", told)
    process = supervised(Opened("resource", resource()), part)
    await part.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await code_of(process)
    assert told == ["opened", "part starts", "part stops", "closed"]


async def test_a_loop_knows_that_it_was_told_to_stop_even_if_the_cancellation_is_lost() -> None:
    waiting = asyncio.Event()

    async def loop() -> str:
        while not stopping():
            try:
                async with asyncio.timeout(0.01):
                    waiting.set()
                    await asyncio.Event().wait()
            except TimeoutError:
                assert not stopping(), "a timeout of one's own is no order to stop"
            except asyncio.CancelledError:
                continue  # as a library does
        return "stopped"

    task = asyncio.create_task(loop())
    await waiting.wait()
    task.cancel()
    async with asyncio.timeout(SECONDS):
        assert await task == "stopped"
    assert not stopping()
