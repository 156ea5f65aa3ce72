"""The DST rule of contract §5, slowly: read the clock at every minute of UTC, and see."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim

MINUTE = timedelta(minutes=1)


class Reading(NamedTuple):
    instant: datetime
    wall: datetime


class Matcher:
    """Whether a wall-clock minute matches, by cronsim's understanding of the expression."""

    def __init__(self, expression: str) -> None:
        self._sim = CronSim(expression, datetime.fromisoformat("2026-01-01"))

    def matches_time(self, hour: int, minute: int) -> bool:
        return minute in self._sim.minutes and hour in self._sim.hours

    def matches(self, wall: datetime) -> bool:
        return (
            self.matches_time(wall.hour, wall.minute)
            and wall.month in self._sim.months
            and self._sim.match_day(wall.date())
        )


def read_clock(zone: ZoneInfo, start: datetime, end: datetime) -> list[Reading]:
    """What the zone's clock shows at each minute from `start` to `end`."""
    return [
        Reading(instant, instant.astimezone(zone).replace(tzinfo=None, fold=0))
        for instant in (start + n * MINUTE for n in range((end - start) // MINUTE + 1))
    ]


def due_at(expression: str, readings: list[Reading]) -> list[datetime]:
    """The occurrences after the first reading, up to the last."""
    matcher = Matcher(expression)
    if any(re.fullmatch(r"\*(/\d+)?", field) for field in expression.split()[:2]):
        return [reading.instant for reading in readings[1:] if matcher.matches(reading.wall)]
    due = []
    latest = readings[0].wall
    for reading in readings[1:]:
        passed = [latest + n * MINUTE for n in range(1, (reading.wall - latest) // MINUTE + 1)]
        if any(matcher.matches(wall) for wall in passed):
            due.append(reading.instant)
        latest = max(latest, reading.wall)
    return due


def changes_of_clocks(zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """The first minute after each change of the zone's offset that lasts a week."""
    weeks = [since + timedelta(weeks=n) for n in range((until - since).days // 7 + 1)]
    return [
        _change_within(zone, week, next_week)
        for week, next_week in pairwise(weeks)
        if week.astimezone(zone).utcoffset() != next_week.astimezone(zone).utcoffset()
    ]


def _change_within(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    offset = low.astimezone(zone).utcoffset()
    while high - low > MINUTE:
        middle = low + (high - low) // MINUTE // 2 * MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
