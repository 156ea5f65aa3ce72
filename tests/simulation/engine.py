"""Virtual time, and processes which may die between any two of their steps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from typing_extensions import override

from libs.events.base import Value
from libs.events.timers import LOOK_SECONDS, RETRY_SECONDS, Look
from libs.runtime.postgres import Conflict, Unavailable

MOST_LOOKS = 500
"""More looks at one instant than any backlog needs."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without a world: when nothing is ready, its clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0.0
        self._clock_resolution = 1e-9
        self._selector = self

    @override
    def time(self) -> float:
        return self._seconds

    def select(self, timeout: float | None) -> Sequence[Any]:
        """Wait for nothing: let the time pass."""
        assert timeout is not None, "nothing will ever happen again"
        self._seconds += timeout
        return ()

    def _process_events(self, _: Any) -> None:
        return

    def _write_to_self(self) -> None:
        return


class Faults(Value):
    """How likely things go wrong: at each step of a transaction, or for each message."""

    crash: float = 0.0005
    unavailable: float = 0.0005
    pause: float = 0.03
    longest_pause: float = 0.2
    lost: float = 0.02
    doubled: float = 0.03
    late: float = 0.05
    outages_a_day: float = 2.0
    wipes_a_day: float = 1.0
    longest_outage_hours: float = 6.0


CALM = Faults(
    crash=0, unavailable=0, pause=0, lost=0, doubled=0, late=0, outages_a_day=0, wipes_a_day=0
)


class Killed(BaseException):
    """The process is dead: nothing of it goes on."""


class Clock:
    """The world's time, its dice, and its faults while there are any."""

    def __init__(
        self, loop: VirtualLoop, start: datetime, dice: random.Random, faults: Faults
    ) -> None:
        self.loop = loop
        self.start = start
        self.database_up = True
        self.dice = dice
        self.faults = faults
        self.trace: Callable[[str], None] | None = None

    def now(self) -> datetime:
        """Give the database's time."""
        return self.start + timedelta(seconds=self.loop.time())

    def unix(self) -> float:
        """Give the machine's time."""
        return self.start.timestamp() + self.loop.time()

    def chance(self, probability: float) -> bool:
        """Throw the dice."""
        return probability > 0 and self.dice.random() < probability

    def tell(self, line: str) -> None:
        """Write a line of the trace, if one is wanted."""
        if self.trace is not None:
            self.trace(f"{self.now():%m-%d %H:%M:%S.%f} {line}")


class Process:
    """One life of a service: dies at a step, and then does nothing any more."""

    def __init__(self, name: str, clock: Clock, on_death: Callable[[Process], None]) -> None:
        self.name = name
        self.clock = clock
        self.alive = True
        self.commands: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]] | None = None
        self.events: Callable[[Sequence[Any]], Awaitable[None]] | None = None
        self.pumps: list[Pump] = []
        self.broken: list[str] = []
        self._on_death = on_death
        self._tasks: set[asyncio.Task[None]] = set()

    async def step(self, what: str) -> None:
        """Let a fault strike here. Raises `Killed` and `Unavailable`."""
        if not self.alive:
            raise Killed
        faults = self.clock.faults
        if faults is CALM:
            return
        draw = self.clock.dice.random()
        if draw < faults.crash:
            self.die(what)
        away = draw < faults.crash + faults.unavailable or not self.clock.database_up
        if away and what not in ("committed", "nudge", "ack"):
            self.clock.tell(f"{self.name} cannot reach Postgres at {what}")
            raise Unavailable(what)
        if draw > 1 - faults.pause:
            await asyncio.sleep(self.clock.dice.uniform(0, faults.longest_pause))
            if not self.alive:
                raise Killed

    def die(self, where: str) -> NoReturn:
        """End this life here."""
        self.stop(where)
        raise Killed

    def stop(self, where: str) -> None:
        """End this life from outside."""
        if self.alive:
            self.clock.tell(f"{self.name} dies at {where}")
            self.alive = False
            for pump in self.pumps:
                pump.cancel()
            self._on_death(self)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a piece of work as long as this life lasts."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Killed:
            return

    def every(self, seconds: float, look: Callable[[], None]) -> None:
        """Look now and then, as long as this life lasts."""
        if self.alive:
            look()
            self.clock.loop.call_later(seconds, self.every, seconds, look)

    async def nudge_relay(self) -> None:
        """Pass the step at which a process has committed and not yet told."""
        await self.step("nudge")


class Pump:
    """Does for a timer what `DueLoop` does, but sleeps until the look that finds something.

    A look each second that finds nothing changes nothing, and costs most of the time.
    """

    def __init__(
        self,
        process: Process,
        run: Callable[[], Awaitable[Look | int]],
        nearest: Callable[[], datetime | None],
    ) -> None:
        self._process = process
        self._clock = process.clock
        self._run = run
        self._nearest = nearest
        self._handle: asyncio.TimerHandle | None = None
        self._running = False
        self._again = False
        self._looks_now = (0.0, 0)
        process.pumps.append(self)

    def nudge(self, due_in: float = 0.0) -> None:
        """Look soon, or when the row that appeared is due."""
        if self._running:
            self._again = True
        else:
            self._look_at(self._clock.loop.time() + max(due_in, 0.0))

    def notice(self) -> None:
        """See rows without being nudged, as the look in each second does."""
        if self._running:
            return
        due = self._due()
        if due is not None and (self._handle is None or due < self._handle.when() - LOOK_SECONDS):
            self._look_at(due + self._clock.dice.random() * LOOK_SECONDS)

    def cancel(self) -> None:
        """Never look again."""
        if self._handle is not None:
            self._handle.cancel()

    def _due(self) -> float | None:
        due = self._nearest()
        if due is None:
            return None
        return max((due - self._clock.start).total_seconds(), self._clock.loop.time())

    def _look_at(self, when: float) -> None:
        if not self._process.alive:
            return
        if self._handle is not None:
            if self._handle.when() <= when:
                return
            self._handle.cancel()
        self._handle = self._clock.loop.call_at(when, self._begin)

    def _spins(self) -> bool:
        """Whether it looks again and again, and no time passes."""
        now = self._clock.loop.time()
        at, looks = self._looks_now
        self._looks_now = (now, looks + 1 if at == now else 0)
        return looks > MOST_LOOKS

    def _begin(self) -> None:
        self._handle = None
        if self._spins():
            self._process.broken.append(f"{self._process.name} spins: {self._run}")
            self._look_at(self._clock.loop.time() + 3_600)
            return
        self._running, self._again = True, False
        self._process.spawn(self._once())

    async def _once(self) -> None:
        loop = self._clock.loop
        try:
            look = await self._run()
        except (Unavailable, Conflict):
            self._running = False
            self._look_at(loop.time() + RETRY_SECONDS)
            return
        finally:
            self._running = False
        if self._again or (isinstance(look, Look) and look.more):
            self._look_at(loop.time())
        elif (due := self._due()) is not None:
            late = LOOK_SECONDS if due <= loop.time() else 0.001
            self._look_at(due + late)
