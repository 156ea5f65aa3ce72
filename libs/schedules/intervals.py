"""How near to each other the occurrences of a schedule come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from libs.schedules.bitset import largest, members, smallest
from libs.schedules.cron import Cron
from libs.schedules.occurrences import next_occurrence, occurrences
from libs.schedules.stretches import Stretch, stretches

_MINUTE = timedelta(minutes=1)
_YEAR = timedelta(days=366)


def smallest_interval(cron: Cron, zone: ZoneInfo, after: datetime) -> int | None:
    """Return the seconds between the two nearest neighbours among the occurrences to come.

    Looks at a year from the next occurrence on, or at the next two if they lie farther apart; None
    when there are not two. It is elapsed time: a daily schedule has one day of 23 hours where
    clocks are changed.
    """
    first = next_occurrence(cron, zone, after)
    second = None if first is None else next_occurrence(cron, zone, first)
    if first is None or second is None:
        return None
    smallest, previous = second - first, first
    within_a_day = _within_a_day(cron)
    for stretch in stretches(zone, first, first + _YEAR):
        if smallest == _MINUTE:
            break  # nothing is nearer
        for slot in _outermost(cron, zone, stretch):
            if slot > previous:
                smallest = min(smallest, slot - previous)
                previous = slot
                if stretch.even:
                    smallest = min(smallest, within_a_day)
    return int(smallest.total_seconds())


def _within_a_day(cron: Cron) -> timedelta:
    """Return the shortest distance of two times on a matching day, endless if there is but one."""
    minutes = members(cron.minutes)
    times = (hour * 60 + minute for hour in members(cron.hours) for minute in minutes)
    distances = (timedelta(minutes=later - earlier) for earlier, later in pairwise(times))
    return min(distances, default=timedelta.max)


def _outermost(cron: Cron, zone: ZoneInfo, stretch: Stretch) -> Iterator[datetime]:
    """Yield the first and the last time of an even stretch's day, all occurrences of another."""
    if not stretch.even:
        yield from occurrences(cron, zone, stretch.after, stretch.until)
        return
    day = stretch.opens
    if cron.days_in(day.year, day.month) >> day.day & 1:
        for end in (smallest, largest):
            hour, minute = end(cron.hours), end(cron.minutes)
            slot = datetime(day.year, day.month, day.day, hour, minute, 0, 0, zone).astimezone(UTC)
            if slot <= stretch.until:
                yield slot
