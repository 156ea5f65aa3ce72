"""Time cut into local days, so that whole days can be reckoned with instead of walked through."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from libs.schedules.wall import RESOLUTION, instant_of_local

_DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """The time after `after`, up to and including `until`: a local day or a part of one.

    If `even`, the clock runs through it from `opens` to `closes` (local times of one date) without
    a change; else anything may happen in it.
    """

    after: datetime
    until: datetime
    opens: datetime
    closes: datetime
    even: bool


def stretches(zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[Stretch]:
    """Yield the stretches that make up the time from `after`, exclusive, to `until`, inclusive."""
    while after < until:
        opens = (after + RESOLUTION).astimezone(zone)
        midnight = datetime(opens.year, opens.month, opens.day, 0, 0, 0, 0, zone) + _DAY
        end = instant_of_local(midnight) - RESOLUTION
        midnight_passed = end <= after  # opens is in the second pass of a repeat around midnight
        end = min(after + _DAY if midnight_passed else end, until)
        closes = end.astimezone(zone)
        runs_evenly = closes - after.astimezone(zone) == end - after
        yield Stretch(after, end, opens, closes, runs_evenly and not opens.fold)
        after = end
