"""Which slots a schedule has, told without the code under test: by reading clocks each minute.

The rule is that of `tests.libs.schedules.oracle`; the readings are kept, by minute of the day, for
all cues of a zone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import datetime, timedelta

from libs.events.cue_settings import (
    Schedule,
)
from libs.schedules.zones import zone
from tests.libs.schedules.oracle import MINUTE, Matcher, Reading, read_clock

ByMinute = dict[tuple[int, int], list[Reading]]
"""Readings by the hour and minute that the clock shows."""


class Oracle:
    """Knows the slots of every schedule between two instants."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self._start = start.replace(second=0, microsecond=0) - timedelta(days=1)
        self._end = end
        self._zones: dict[str, tuple[ByMinute, ByMinute]] = {}
        self._slots: dict[tuple[str, str], list[datetime]] = {}

    def slots(self, schedule: Schedule, since: datetime, until: datetime) -> list[datetime]:
        """Give the slots in (since, until]."""
        if schedule.at is not None:
            return [schedule.at] if since < schedule.at <= until else []
        assert schedule.cron is not None
        known = self._of(schedule.cron, schedule.timezone)
        return known[bisect_right(known, since) : bisect_right(known, until)]

    def _of(self, cron: str, name: str) -> list[datetime]:
        if name not in self._zones:
            readings = read_clock(zone(name), self._start, self._end)
            self._zones[name] = (_by_minute(readings), _by_minute(_passed(readings)))
        if (cron, name) not in self._slots:
            self._slots[cron, name] = _due(cron, *self._zones[name])
        return self._slots[cron, name]


def _passed(readings: list[Reading]) -> list[Reading]:
    """Each minute of the wall clock once, where it was first shown or passed over."""
    found = []
    latest = readings[0].wall
    for reading in readings[1:]:
        while latest < reading.wall:
            latest += MINUTE
            found.append(Reading(reading.instant, latest))
    return found


def _by_minute(readings: list[Reading]) -> ByMinute:
    found: ByMinute = {}
    for reading in readings:
        found.setdefault((reading.wall.hour, reading.wall.minute), []).append(reading)
    return found


def _due(cron: str, shown: ByMinute, passed: ByMinute) -> list[datetime]:
    follows_real_time = any(re.fullmatch(r"\*(/\d+)?", field) for field in cron.split()[:2])
    matcher = Matcher(cron)
    due = {
        reading.instant
        for minute, readings in (shown if follows_real_time else passed).items()
        if matcher.matches_time(*minute)
        for reading in readings
        if matcher.matches(reading.wall)
    }
    return sorted(due)
