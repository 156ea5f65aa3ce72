"""When a schedule's slots lie after an instant. Pure."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from libs.events.cue_settings import (
    Schedule,
)
from libs.schedules.cron import Cron, parse
from libs.schedules.occurrences import next_occurrence
from libs.schedules.zones import zone


def nth_slot(schedule: Schedule, count: int, after: datetime) -> datetime | None:
    """Give the `count`-th slot of a recurring schedule strictly after an instant, or None."""
    assert schedule.cron is not None, "only recurring cues have windows"
    cron, place = _calendar(schedule.cron, schedule.timezone)
    slot: datetime | None = after
    for _ in range(count):
        slot = next_occurrence(cron, place, slot) if slot is not None else None
    return slot


@lru_cache(maxsize=10_000)
def _calendar(expression: str, timezone: str) -> tuple[Cron, ZoneInfo]:
    return parse(expression), zone(timezone)
