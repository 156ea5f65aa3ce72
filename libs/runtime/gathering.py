"""Many askers, one query: who asks while a query runs is answered by the next one.

`Gathered` puts different keys into one set-based query, `Shared` like asks into one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Fetch = Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]

MOST = 200


class Gathered(Generic[K, V]):
    """Answers `get(key)` from one set-based query for all keys that are waiting.

    Idle, a key is fetched at once and alone; under load the batches grow by themselves, and with
    them the throughput. `fetch` gives what exists; its error reaches all who waited for it.
    """

    def __init__(self, fetch: Fetch[K, V], *, most: int = MOST) -> None:
        self._fetch = fetch
        self._most = most
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._running: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """Give the value of a key, or None when there is none."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[: self._most]
                taken = {key: self._waiting.pop(key) for key in keys}
                await self._answer(taken)
        finally:
            self._running = None

    async def _answer(self, taken: Mapping[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._fetch(list(taken))
        except Exception as error:
            for future in taken.values():
                future.set_exception(error)
                future.exception()  # an asker that has gone away does not leave it unread
            return
        for key, future in taken.items():
            future.set_result(found.get(key))


class Shared(Generic[V]):
    """Runs work once for all who ask for the same while they wait for their turn.

    An ask is never answered by work that began before it: what it has written, it reads.
    """

    def __init__(self) -> None:
        self._current: dict[str, asyncio.Task[V]] = {}
        self._next: dict[str, asyncio.Task[V]] = {}

    async def run(self, key: str, work: Callable[[], Awaitable[V]]) -> V:
        """Give what the work of this key gives, or raise what it raises."""
        self.begin(key, work)
        return await asyncio.shield(self._next[key])

    def begin(self, key: str, work: Callable[[], Awaitable[V]]) -> None:
        """Let the work of this key run, for those who ask later."""
        if key not in self._next:
            turn = self._next[key] = asyncio.create_task(self._turn(key, work))
            turn.add_done_callback(_seen)

    async def _turn(self, key: str, work: Callable[[], Awaitable[V]]) -> V:
        if (before := self._current.get(key)) is not None:
            await asyncio.wait([before])
        this = self._current[key] = self._next.pop(key)
        try:
            return await work()
        finally:
            if self._current[key] is this:
                del self._current[key]


def _seen(turn: asyncio.Task[Any]) -> None:
    """Read the error of a turn whose askers may all have gone away."""
    if not turn.cancelled():
        turn.exception()
