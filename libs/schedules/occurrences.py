"""The instants at which a cron expression is due in a zone, by the DST rule of contract §5.

Two rules, told apart by `Cron.every_pass`. A *fixed* time of day happens once for each date: in a
gap at the first instant after it, in a repeat on the first pass. A schedule that counts through
the hour or the day follows the clock as it runs: each time the clock shows a matching minute.

Instants are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from libs.schedules.cron import SEARCH_YEARS, Cron, first_match
from libs.schedules.wall import (
    RESOLUTION,
    change_of_clocks,
    dst_of_local,
    instant_of_local,
)

_DAY = timedelta(days=1)
"""In no zone are clocks changed twice within a day."""


def instant_of(local_naive: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant that a naive local time means.

    A time in a gap means the first instant after it, a repeated one its first pass. Raises
    OverflowError when that instant is outside the years 1 to 9999.
    """
    return instant_of_local(local_naive.replace(tzinfo=zone, fold=0))


def next_occurrence(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first occurrence strictly after an instant, None if none within 50 years.

    None is possible though the expression matches dates: `*/5 2 * 3 7#2` names only times that
    New York skips. It is also the answer for instants in year 1 and in the last 50 years that a
    datetime can hold.
    """
    if not 1 < after.year < 9999 - SEARCH_YEARS:
        return None
    after = after.astimezone(UTC)
    start = after.astimezone(zone) + RESOLUTION
    return _next_shown(cron, start, after) if cron.every_pass else _next_fixed(cron, start, after)


def occurrences(cron: Cron, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the occurrences after `after`, up to and including `until`, in order."""
    slot = next_occurrence(cron, zone, after)
    while slot is not None and slot <= until:
        yield slot
        slot = next_occurrence(cron, zone, slot)


def _next_fixed(cron: Cron, start: datetime, after: datetime) -> datetime | None:
    """Return the first instant after `after` that stands for a matching time from `start` on."""
    last_year = start.year + SEARCH_YEARS
    match = first_match(cron, start, last_year)
    while match is not None:
        instant = instant_of_local(match)
        if instant > after:
            return instant
        # `after` is in the second pass of a repeat, and the match was due in the first.
        match = first_match(cron, match + RESOLUTION, last_year)
    return None


def _next_shown(cron: Cron, start: datetime, after: datetime) -> datetime | None:
    """Return the first instant after `after` at which the clock shows a matching minute."""
    zone = start.tzinfo
    now = after.astimezone(zone)
    found = _first_shown(cron, start, after)
    if found is not None:
        elapsed = found - after
        if elapsed <= _DAY and found.astimezone(zone) - now == elapsed:
            return found  # the usual case: the clock was not changed in between
    if now.fold or dst_of_local(now) is None:
        return found
    # `after` is in the first pass of a repeat: times earlier on the clock will come again.
    change = change_of_clocks(now)
    if found is not None and found < change:
        return found
    return _first_shown(cron, change.astimezone(zone), change - RESOLUTION)


def _first_shown(cron: Cron, start: datetime, after: datetime) -> datetime | None:
    """Return when the clock, after `after`, first shows a match that is not before `start`."""
    last_year = start.year + SEARCH_YEARS
    match = first_match(cron, start, last_year)
    while match is not None:
        instant = match.astimezone(UTC)
        if instant.astimezone(match.tzinfo) == match:
            return instant if instant > after else match.replace(fold=1).astimezone(UTC)
        end_of_gap = change_of_clocks(match).astimezone(match.tzinfo)
        match = first_match(cron, end_of_gap, last_year)
    return None
