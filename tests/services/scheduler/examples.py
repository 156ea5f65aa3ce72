"""One example of each thing that the scheduler's tests speak of. Noon is when tests begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from libs.events.accounts import PLANS
from libs.events.base import Reference, Transport
from libs.events.cue_settings import (
    Callback,
    CueSettings,
    Schedule,
)
from libs.events.cues import (
    CreateCue,
    CueCreated,
    CuePaused,
    CueResumed,
    CueUpdated,
    DeleteCue,
    UpdateCue,
)
from libs.events.execution_events import ExecutionScheduled
from services.scheduler.decider.limits import Account
from services.scheduler.rules import next_slot

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
UNCLAIMED = timedelta(seconds=900)

ACCOUNT_ID = "0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11"
CUE_ID = "cue_x7k9m2p4q8w1"
EXECUTION_ID = "550e8400-e29b-41d4-a716-446655440000"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

HOURLY = Schedule(cron="0 * * * *")
DAILY = Schedule(cron="0 9 * * *", timezone="America/New_York")
AT_TWO = Schedule(at=NOON + 2 * HOUR)
SETTINGS = CueSettings(
    name="morning-briefing",
    schedule=HOURLY,
    callback=Callback(url="https://agent.example/webhook"),
    payload=Reference(sha256="ab" * 32, task="generate_briefing"),
)

FREE = Account(plan=PLANS["free"])
FULL = Account(plan=PLANS["free"], active_cues=10)
UNLIMITED = Account()


def settings(**changes: Any) -> CueSettings:
    return replace(SETTINGS, **changes)


def create(**changes: Any) -> CreateCue:
    return CreateCue(account_id=ACCOUNT_ID, cue_id=CUE_ID, settings=settings(**changes))


def update(changes: dict[str, Any] | None = None, status: str | None = None) -> UpdateCue:
    return UpdateCue(account_id=ACCOUNT_ID, cue_id=CUE_ID, changes=changes or {}, status=status)


def delete() -> DeleteCue:
    return DeleteCue(account_id=ACCOUNT_ID, cue_id=CUE_ID)


def created(at: datetime = NOON, **changes: Any) -> CueCreated:
    chosen = settings(**changes)
    return CueCreated(
        at=at,
        cue_id=CUE_ID,
        account_id=ACCOUNT_ID,
        settings=chosen,
        next_run=next_slot(chosen.schedule, at),
    )


def once(at: datetime = NOON, **changes: Any) -> CueCreated:
    return created(at, schedule=AT_TWO, **changes)


def paused(at: datetime) -> CuePaused:
    return CuePaused(at=at)


def resumed(at: datetime, schedule: Schedule = HOURLY) -> CueResumed:
    return CueResumed(at=at, next_run=next_slot(schedule, at))


def rescheduled(at: datetime, schedule: Schedule, *, reactivated: bool = False) -> CueUpdated:
    return CueUpdated(
        at=at,
        settings=settings(schedule=schedule),
        next_run=next_slot(schedule, at),
        reactivated=reactivated,
    )


def fired(at: datetime, **changes: Any) -> ExecutionScheduled:
    event = ExecutionScheduled(
        at=at,
        execution_id=EXECUTION_ID,
        account_id=ACCOUNT_ID,
        cue_id=CUE_ID,
        transport=Transport.WEBHOOK,
        scheduled_for=at,
        due_at=at,
        triggered_by="scheduled",
        payload=SETTINGS.payload,
    )
    return replace(event, **changes)
