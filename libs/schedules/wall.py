"""Between a zone's wall clock and the instants at which it shows a time.

A zone's clock is sometimes put forward, so that some wall-clock times do not exist (a *gap*), and
sometimes back, so that some come twice (a *repeat*). A *local* time here is a datetime whose
`tzinfo` is the zone: what the clock shows. Adding to it moves the hands; only `astimezone` knows
of changes. An *instant* is an aware datetime in UTC.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

Dst: TypeAlias = Literal["gap", "repeat"]

RESOLUTION = timedelta(microseconds=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def dst_of_local(local: datetime) -> Dst | None:
    """Say whether this local time does not exist ("gap") or comes twice ("repeat")."""
    first, second = _passes(local)
    if first == second:
        return None
    return "gap" if first > second else "repeat"


def instant_of_local(local: datetime) -> datetime:
    """Return the instant of a local time: after a gap that it lies in, or its first pass."""
    instant = local.astimezone(UTC)
    if instant.astimezone(local.tzinfo) == local:
        return instant
    return change_of_clocks(local)


def change_of_clocks(local: datetime) -> datetime:
    """Return the instant of the change that makes `local` a time in a gap or a repeat."""
    zone, new_offset = local.tzinfo, local.replace(fold=1).utcoffset()
    low, high = sorted((instant - _EPOCH) // _SECOND for instant in _passes(local))

    def changed(second: int) -> bool:
        return (_EPOCH + second * _SECOND).astimezone(zone).utcoffset() == new_offset

    seconds = range(low + 1, high + 1)
    return _EPOCH + seconds[bisect_left(seconds, True, key=changed)] * _SECOND


def _passes(local: datetime) -> tuple[datetime, datetime]:
    """Return what a local time means by the offset before, and by the one after, a change.

    The same instant twice for an ordinary time; in reverse order for one in a gap.
    """
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
