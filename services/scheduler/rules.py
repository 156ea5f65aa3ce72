"""When a schedule is due, and what a schedule must be. Pure (contract §5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import assert_never
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from libs.events.base import Rejection
from libs.events.cue_settings import (
    Schedule,
)
from libs.schedules.counting import count_occurrences
from libs.schedules.cron import Cron, InvalidCron, parse
from libs.schedules.due import CatchUp, Due, due
from libs.schedules.occurrences import next_occurrence
from libs.schedules.zones import UnknownZone, canonical_zone, zone

_INSTANT = timedelta(microseconds=1)


def validated(schedule: Schedule, now: datetime) -> Schedule | Rejection:
    """Give the schedule with its zone in canonical spelling, or say what is wrong with it."""
    try:
        schedule = replace(schedule, timezone=canonical_zone(schedule.timezone))
    except UnknownZone as error:
        return Rejection(code="invalid_timezone", message=str(error))
    match schedule:
        case Schedule(cron=str() as expression, at=None):
            try:
                cron, place = _calendar(expression, schedule.timezone)
            except InvalidCron as error:
                return Rejection(code="invalid_schedule", message=str(error))
            if next_occurrence(cron, place, now) is None:
                return _invalid(f"'{expression}' never comes due within 50 years")
        case Schedule(cron=None, at=datetime() as at):
            if at <= now:
                return _invalid("schedule.at is in the past; give a time that is still to come")
        case _:
            return _invalid("give schedule.cron for a recurring cue, or schedule.at for one run")
    return schedule


def next_slot(schedule: Schedule, after: datetime) -> datetime | None:
    """Give the first slot strictly after an instant, or None."""
    return _slots(schedule)(after)


def due_slots(schedule: Schedule, next_run: datetime, now: datetime, catch_up: str) -> Due:
    """Say what becomes of the slots from `next_run` up to `now`."""
    counter = None
    if schedule.cron is not None:
        counter = partial(count_occurrences, *_calendar(schedule.cron, schedule.timezone))
    return due(_slots(schedule), next_run - _INSTANT, now, CatchUp(catch_up), counter)


def passed_slots(
    schedule: Schedule, after: datetime, until: datetime
) -> tuple[datetime, datetime, int] | None:
    """Give the first, the last and the number of the slots in (after, until], or None."""
    first = next_slot(schedule, after)
    if first is None or first > until:
        return None
    count = 1 if schedule.cron is None else _count(schedule, after, until)
    return first, _last(schedule, first, until) if count > 1 else first, count


def _count(schedule: Schedule, after: datetime, until: datetime) -> int:
    assert schedule.cron is not None
    return count_occurrences(*_calendar(schedule.cron, schedule.timezone), after, until)


def _last(schedule: Schedule, first: datetime, until: datetime) -> datetime:
    """Find the last slot up to `until` by halving: slots can only be asked for forwards."""
    early, late = first, until
    while late - early > _INSTANT:
        middle = early + (late - early) / 2
        found = next_slot(schedule, middle)
        if found is not None and found <= until:
            early = found
        else:
            late = middle
    return early


def _slots(schedule: Schedule) -> Callable[[datetime], datetime | None]:
    match schedule:
        case Schedule(cron=str() as expression):
            return partial(next_occurrence, *_calendar(expression, schedule.timezone))
        case Schedule(at=at):
            return lambda after: at if at is not None and at > after else None
        case _:
            assert_never(schedule)


@lru_cache(maxsize=10_000)
def _calendar(expression: str, timezone: str) -> tuple[Cron, ZoneInfo]:
    return parse(expression), zone(timezone)


def _invalid(message: str) -> Rejection:
    return Rejection(code="invalid_schedule", message=message)
