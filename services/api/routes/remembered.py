"""The latest reading of something that is asked for more often than it should be read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from libs.runtime.clock import monotonic

T = TypeVar("T")


class Remembered(Generic[T]):
    """Reads again when the last reading is older than `fresh_seconds`; one reading at a time."""

    def __init__(self, fresh_seconds: float) -> None:
        self._fresh_seconds = fresh_seconds
        self._last: tuple[T, float] | None = None
        self._reading: asyncio.Task[T] | None = None

    async def get(self, read: Callable[[], Awaitable[T]], patience: float = 0.0) -> T:
        """Give a reading that was fresh at most `patience` seconds ago; raises what `read` raises.

        An older one than fresh is given at once while the next one is read.
        """
        now = monotonic()
        if self._last is not None and now - self._last[1] <= self._fresh_seconds:
            return self._last[0]
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(read))
        if self._last is not None and now - self._last[1] <= self._fresh_seconds + patience:
            return self._last[0]
        return await asyncio.shield(self._reading)

    async def _read(self, read: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await read()
            self._last = (value, monotonic())
        finally:
            self._reading = None
        return value
