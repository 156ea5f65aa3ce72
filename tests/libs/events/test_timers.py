"""The due-row loop: when it looks, and what keeps it looking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from typing_extensions import override

from libs.events.timers import LOOK_SECONDS, DueLoop, Look
from libs.runtime.clock import monotonic
from libs.runtime.health import Health
from libs.runtime.postgres import Conflict, Unavailable

SECONDS = 10.0


class Looks:
    """Answers one look after the other, the last one for ever, and remembers when it was asked."""

    def __init__(self, *answers: Look | Exception) -> None:
        self._answers = list(answers)
        self.at: list[float] = []
        self._asked = asyncio.Condition()

    async def run_once(self) -> Look:
        async with self._asked:
            self.at.append(monotonic())
            self._asked.notify_all()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def gap(self, number: int = 1) -> float:
        """Wait for look `number`, counted from 0; give the seconds since the one before."""
        async with asyncio.timeout(SECONDS), self._asked:
            await self._asked.wait_for(lambda: len(self.at) > number)
        return self.at[number] - self.at[number - 1]


async def settled() -> None:
    """Let everything run that can run, so that the loop comes to its wait."""
    for _ in range(50):
        await asyncio.sleep(0)


@asynccontextmanager
async def looping(
    run_once: Callable[[], Coroutine[Any, Any, Look]], health: Health | None = None
) -> AsyncIterator[tuple[DueLoop, asyncio.Task[None]]]:
    loop = DueLoop("test", run_once, health or Health())
    task = asyncio.create_task(loop.run())
    try:
        yield loop, task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=SECONDS)


async def test_it_looks_again_when_the_nearest_row_is_due() -> None:
    looks = Looks(Look(taken=0, next_in=0.05), Look(taken=0))
    async with looping(looks.run_once):
        assert 0.045 <= await looks.gap() < 0.9 * LOOK_SECONDS


async def test_it_looks_at_once_for_a_row_that_is_due_already() -> None:
    looks = Looks(Look(taken=0, next_in=-5.0), Look(taken=0))
    async with looping(looks.run_once):
        assert await looks.gap() < 0.9 * LOOK_SECONDS


async def test_it_looks_at_once_when_more_rows_wait() -> None:
    looks = Looks(Look(taken=500, more=True, next_in=60.0), Look(taken=0))
    async with looping(looks.run_once):
        assert await looks.gap() < 0.9 * LOOK_SECONDS


async def test_it_looks_at_once_when_nudged() -> None:
    looks = Looks(Look(taken=0, next_in=60.0))
    async with looping(looks.run_once) as (loop, _):
        await looks.gap(0)
        await settled()
        loop.nudge()
        assert await looks.gap() < 0.9 * LOOK_SECONDS
        await settled()
        assert len(looks.at) == 2, "one nudge is a reason for one look"


async def test_a_nudge_for_a_row_that_is_due_soon_is_a_reason_to_look() -> None:
    looks = Looks(Look(taken=0, next_in=60.0))
    async with looping(looks.run_once) as (loop, _):
        await looks.gap(0)
        await settled()
        loop.nudge(due_in=0.2)
        assert await looks.gap() < 0.9 * LOOK_SECONDS


@pytest.mark.parametrize("next_in", [None, 3_600.0])
async def test_without_a_nudge_it_looks_within_a_second(next_in: float | None) -> None:
    looks = Looks(Look(taken=0, next_in=next_in))
    async with looping(looks.run_once) as (loop, _):
        await looks.gap(0)
        await settled()
        loop.nudge(due_in=1.5)  # later than the next look, so no reason to look now
        assert 0.9 * LOOK_SECONDS <= await looks.gap() < 2 * LOOK_SECONDS


async def test_a_nudge_during_a_look_is_not_lost() -> None:
    looking, release = asyncio.Event(), asyncio.Event()
    looks = Looks(Look(taken=0))

    async def slow() -> Look:
        look = await looks.run_once()
        looking.set()
        await release.wait()
        return look

    async with looping(slow) as (loop, _):
        async with asyncio.timeout(SECONDS):
            await looking.wait()
        loop.nudge(due_in=30.0)
        release.set()
        assert await looks.gap() < 0.9 * LOOK_SECONDS


@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("overtaken")])
async def test_postgres_being_away_is_waited_out(error: Exception) -> None:
    looks = Looks(error, Look(taken=1, more=True))
    async with looping(looks.run_once) as (_, task):
        assert 0.2 <= await looks.gap() < 0.9 * LOOK_SECONDS
        assert not task.done()


async def test_a_defect_ends_the_loop() -> None:
    looks = Looks(ZeroDivisionError())
    async with looping(looks.run_once) as (_, task):
        with pytest.raises(ZeroDivisionError):
            await task


async def test_each_round_is_a_sign_of_life() -> None:
    beats: list[str] = []

    class Listening(Health):
        @override
        def beat(self, part: str) -> None:
            beats.append(part)

    looks = Looks(Look(taken=1, more=True), Unavailable("away"), Look(taken=0, next_in=60.0))
    async with looping(looks.run_once, Listening()):
        await looks.gap(2)
    assert beats == ["test"] * 3


async def test_a_look_in_hand_is_finished_at_the_stop() -> None:
    looking, release = asyncio.Event(), asyncio.Event()
    finished: list[bool] = []

    async def slow() -> Look:
        looking.set()
        await release.wait()
        finished.append(True)
        return Look(taken=1, more=True)

    async with looping(slow) as (_, task):
        async with asyncio.timeout(SECONDS):
            await looking.wait()
        task.cancel()
        await settled()
        assert not task.done()
        release.set()
        await asyncio.wait([task], timeout=SECONDS)
    assert finished == [True]
    assert task.cancelled()
