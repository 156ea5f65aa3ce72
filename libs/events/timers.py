"""The due-row loop: what must happen later is a row, and this loop takes the rows that are due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from libs.events.base import Value
from libs.runtime.clock import monotonic
from libs.runtime.finishing import to_its_end
from libs.runtime.health import Health
from libs.runtime.ids import jittered
from libs.runtime.postgres import Conflict, Unavailable

log = structlog.get_logger()

LOOK_SECONDS = 1.0
RETRY_SECONDS = 0.5


class Look(Value):
    """One look at the due rows: how many were taken, whether more wait, when the next is due.

    `next_in` is seconds from now; None when no row waits.
    """

    taken: int
    more: bool = False
    next_in: float | None = None


class DueLoop:
    """Runs `run_once` when the nearest row is due, when nudged, and at least once a second.

    A lost nudge costs a second at most, so nobody needs to make sure that nudges arrive. Work that
    can wait gathers nudges for `gather` seconds.
    """

    def __init__(
        self,
        name: str,
        run_once: Callable[[], Coroutine[Any, Any, Look]],
        health: Health,
        *,
        gather: float = 0.0,
    ) -> None:
        self.name = name
        self._gather = gather
        self._run_once = run_once
        self._health = health
        self._nudged = asyncio.Event()
        self._wakes_at = float("inf")

    def nudge(self, due_in: float = 0.0) -> None:
        """Look at once, unless the row that appeared is due (in seconds) after the next look."""
        if monotonic() + due_in < self._wakes_at:
            self._nudged.set()

    async def run(self) -> None:
        """Loop until cancelled. Postgres being away is waited out."""
        while True:
            self._health.beat(self.name)
            self._nudged.clear()
            self._wakes_at = float("inf")
            try:
                # A step that may have committed must also do what follows from it.
                look = await to_its_end(self._run_once())
            except (Unavailable, Conflict) as error:
                log.warning("due rows were not taken", loop=self.name, error=str(error))
                await asyncio.sleep(jittered(RETRY_SECONDS))
                continue
            if not look.more:
                await self._wait(look.next_in)

    async def _wait(self, next_in: float | None) -> None:
        seconds = LOOK_SECONDS if next_in is None else min(LOOK_SECONDS, max(next_in, 0.001))
        self._wakes_at = monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            return
        if self._gather:
            await asyncio.sleep(self._gather)
