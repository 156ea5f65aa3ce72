"""What a schedule means, before a cue is made of it (contract §16)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from libs.events.cue_settings import (
    Schedule,
)
from libs.runtime.clock import utc_now
from libs.schedules.cron import InvalidCron, parse
from libs.schedules.dst import dst_of
from libs.schedules.intervals import smallest_interval
from libs.schedules.occurrences import next_occurrence
from libs.schedules.words import describe
from libs.schedules.zones import zone
from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.cue_models import NewSchedule
from services.api.routes.cue_settings import schedule_of
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import INTEGRAL, NoQuery, Wish
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time, zoned_time

previews = Operations("Schedules")


class PreviewBody(Wish):
    """A schedule as a cue has it, and how many of its occurrences to tell."""

    schedule: NewSchedule
    count: Annotated[int, Field(ge=1, le=100), INTEGRAL] = 10


class OccurrenceWire(Wire):
    """An occurrence in UTC and by the zone's clock; `dst` is `gap` or `repeat` if clocks change."""

    at: Timestamp
    local: Timestamp
    dst: str | None


class PreviewWire(Wire):
    """A schedule in words and in instants; no interval when there are not two occurrences."""

    description: str
    next: list[OccurrenceWire]
    smallest_interval_seconds: int | None


@previews.add(
    "POST",
    "/v1/schedules/preview",
    body=PreviewBody,
    query=NoQuery,
    answers={200: PreviewWire},
    codes=("invalid_schedule", "invalid_timezone"),
)
async def preview_schedule(call: Call[PreviewBody, NoQuery]) -> Response:
    """Tell when a schedule would be due next."""
    asked, now = call.body.schedule, utc_now()
    schedule = schedule_of(asked.type, asked.cron, asked.at, asked.timezone)
    if schedule.at is not None:
        return answer(_once(schedule, schedule.at, now))
    return answer(_recurring(schedule, schedule.cron or "", now, call.body.count))


def _once(schedule: Schedule, at: datetime, now: datetime) -> PreviewWire:
    if at <= now:
        raise ApiError("invalid_schedule", "at must lie in the future")
    local = _local(at, schedule)
    return PreviewWire(
        description=f"Once at {local}, {schedule.timezone}",
        next=[OccurrenceWire(at=wire_time(at), local=local, dst=None)],
        smallest_interval_seconds=None,
    )


def _recurring(schedule: Schedule, expression: str, now: datetime, count: int) -> PreviewWire:
    try:
        cron = parse(expression)
    except InvalidCron as error:
        raise ApiError("invalid_schedule", str(error)) from error
    wall = zone(schedule.timezone)
    ahead: list[datetime] = []
    after: datetime | None = now
    while len(ahead) < count and after is not None:
        after = next_occurrence(cron, wall, after)
        ahead += [after] if after else []
    if not ahead:
        raise ApiError("invalid_schedule", f"'{expression}' never comes due within 50 years")
    return PreviewWire(
        description=describe(cron, schedule.timezone),
        next=[
            OccurrenceWire(at=wire_time(at), local=_local(at, schedule), dst=dst_of(cron, wall, at))
            for at in ahead
        ],
        smallest_interval_seconds=smallest_interval(cron, wall, now - timedelta(seconds=1)),
    )


def _local(at: datetime, schedule: Schedule) -> str:
    return zoned_time(at, schedule.timezone) or wire_time(at)
