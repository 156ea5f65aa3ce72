"""The one place where the time is read; decisions take it from the database instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple


class _Clocks:
    """Where the time comes from: this machine, or a simulation."""

    def __init__(self) -> None:
        self.unix: Callable[[], float] = time.time
        self.monotonic: Callable[[], float] = time.monotonic


_CLOCKS = _Clocks()


@contextmanager
def read_from(unix: Callable[[], float], monotonic: Callable[[], float]) -> Iterator[None]:
    """Read the time from these clocks, in seconds, within the block. For simulations alone."""
    before = _CLOCKS.unix, _CLOCKS.monotonic
    _CLOCKS.unix, _CLOCKS.monotonic = unix, monotonic
    try:
        yield
    finally:
        _CLOCKS.unix, _CLOCKS.monotonic = before


def utc_now() -> datetime:
    """Give this machine's time in UTC: for logs, headers and tokens, never for due times."""
    return datetime.fromtimestamp(_CLOCKS.unix(), UTC)


def unix_seconds() -> float:
    """Give this machine's time in unix seconds, for ids that are sorted by time."""
    return _CLOCKS.unix()


def unix_now() -> int:
    """Give this machine's time in whole unix seconds, as signatures carry it."""
    return int(_CLOCKS.unix())


def unix_ns() -> int:
    """Give this machine's time in unix nanoseconds, as spans carry it."""
    return time.time_ns()


def monotonic() -> float:
    """Give seconds that only grow, for measuring durations."""
    return _CLOCKS.monotonic()


class ServerClock(NamedTuple):
    """The database's clock: read once, and carried on by this machine's monotonic one.

    What others hold against their own clocks is stamped by it, for this machine's may be wrong.
    """

    read: datetime
    at: float

    @classmethod
    def showing(cls, now: datetime) -> ServerClock:
        """Give the clock that shows `now` now."""
        return cls(now, monotonic())

    def unix_now(self) -> int:
        """Give the time in whole unix seconds, as signatures carry it."""
        return int(self.read.timestamp() + monotonic() - self.at)


def rfc3339(instant: datetime) -> str:
    """Write an instant in UTC with `Z`; no fraction when it is zero, else six digits."""
    text = instant.astimezone(UTC).isoformat(timespec="auto")
    return text.replace("+00:00", "Z")
