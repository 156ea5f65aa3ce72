"""Schedules told in words and in their next due times."""

from __future__ import annotations

from datetime import datetime

from cueapi.models.model import Model


class Occurrence(Model):
    """A due time; `dst` is "gap" or "repeat" where the clocks change."""

    at: datetime
    local: datetime
    dst: str | None


class SchedulePreview(Model):
    """What a schedule means."""

    description: str
    next: list[Occurrence]
    smallest_interval_seconds: int | None
