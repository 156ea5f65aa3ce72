"""What becomes of a command that declares, changes or ends a cue. Pure (contract nr 1, 4, 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

import msgspec

from libs.events.alerts import is_final_failure
from libs.events.base import Rejection, Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.cues import (
    ActiveCue,
    CompletedCue,
    CreateCue,
    Cue,
    CueCreated,
    CueDeleted,
    CueEvent,
    CuePaused,
    CueResumed,
    CueUpdated,
    DeleteCue,
    DeletedCue,
    FailedCue,
    PausedCue,
    SlotsSkipped,
    UpdateCue,
    evolve,
)
from libs.events.executions import Execution
from services.scheduler.decider.limits import Account, cue_limit, cue_not_found, duplicate_name
from services.scheduler.rules import next_slot, passed_slots, validated


class Move(Value):
    """That a cue was paused or resumed, and the request or execution that it was done for."""

    at: datetime
    cause: str


_MERGED = ("callback", "retry", "delivery", "alerts", "on_failure")


def create_cue(
    command: CreateCue, account: Account, *, name_taken: bool, now: datetime
) -> list[CueEvent] | Rejection:
    """Declare a cue, or refuse: schedule, then name, then plan (contract §1, order of checks)."""
    schedule = validated(command.settings.schedule, now)
    if isinstance(schedule, Rejection):
        return schedule
    if name_taken:
        return duplicate_name(command.settings.name)
    if refusal := cue_limit(account):
        return refusal
    return [
        CueCreated(
            at=now,
            cue_id=command.cue_id,
            account_id=command.account_id,
            settings=msgspec.structs.replace(command.settings, schedule=schedule),
            next_run=next_slot(schedule, now),
        )
    ]


def update_cue(
    command: UpdateCue, cue: Cue | None, account: Account, *, name_taken: bool, now: datetime
) -> list[CueEvent] | Rejection:
    """Change settings first, then status; all of it or nothing."""
    if cue is None or isinstance(cue, DeletedCue):
        return cue_not_found(command.cue_id)
    changed = _settings(cue, command, account, name_taken=name_taken, now=now)
    if isinstance(changed, Rejection):
        return changed
    for event in changed:
        cue = evolve(cue, event)
    moved = _status(cue, command.status, account, now)
    return moved if isinstance(moved, Rejection) else [*changed, *moved]


def delete_cue(command: DeleteCue, cue: Cue | None, now: datetime) -> list[CueEvent] | Rejection:
    """End a cue; slots that were due and did not fire are on record as skipped."""
    if cue is None or isinstance(cue, DeletedCue):
        return cue_not_found(command.cue_id)
    return [*skip_passed(cue, now, "deleted"), CueDeleted(at=now)]


def merged(settings: CueSettings, changes: Mapping[str, Any]) -> CueSettings:
    """Merge changes by field; a new `schedule` keeps the zone unless it names one."""
    fields: dict[str, Any] = msgspec.to_builtins(settings)
    for name, value in changes.items():
        match name:
            case "schedule":
                fields[name] = {"timezone": settings.schedule.timezone, **value}
            case _ if name in _MERGED and isinstance(value, Mapping):
                fields[name] = {**fields.get(name, {}), **value}
            case _:
                fields[name] = value
    return msgspec.convert(fields, CueSettings, strict=False)


def pause_on_failure(
    cue: Cue | None, execution: Execution, failed_at: datetime, moves: Sequence[Move], now: datetime
) -> list[CueEvent]:
    """Pause a recurring cue whose execution failed for good, if it wants that (contract §9).

    Once for each execution; and not when the cue was paused or resumed after the failure, for then
    its user has had the last word.
    """
    match cue:
        case ActiveCue(facts=facts) if facts.settings.on_failure.pause:
            pass
        case _:
            return []
    if facts.settings.schedule.cron is None or not is_final_failure(execution):
        return []
    if any(move.at >= failed_at or move.cause == execution.facts.id for move in moves):
        return []
    return [*skip_passed(cue, now, "paused"), CuePaused(at=now, reason="on_failure")]


def skip_passed(cue: Cue, now: datetime, reason: str) -> list[CueEvent]:
    """Record the slots that came due and can no longer fire: of an active cue, or while paused."""
    schedule = cue.facts.settings.schedule
    match cue:
        case ActiveCue(next_run=datetime() as due) if due <= now:
            passed = passed_slots(schedule, due - timedelta(microseconds=1), now)
        case PausedCue(since=since):
            passed, reason = passed_slots(schedule, since, now), "paused"
        case ActiveCue() | CompletedCue() | FailedCue() | DeletedCue():
            return []
        case _:
            assert_never(cue)
    if passed is None:
        return []
    first, last, count = passed
    ahead = next_slot(schedule, now)
    return [
        SlotsSkipped(at=now, first=first, last=last, count=count, reason=reason, next_run=ahead)
    ]


def _settings(
    cue: Cue, command: UpdateCue, account: Account, *, name_taken: bool, now: datetime
) -> list[CueEvent] | Rejection:
    if not command.changes:
        return []
    settings = merged(cue.facts.settings, command.changes)
    if settings == cue.facts.settings and "schedule" not in command.changes:
        return []
    if "schedule" in command.changes:
        schedule = validated(settings.schedule, now)
        if isinstance(schedule, Rejection):
            return schedule
        settings = msgspec.structs.replace(settings, schedule=schedule)
    if name_taken:
        return duplicate_name(settings.name)
    if "schedule" not in command.changes:
        next_run = cue.next_run if isinstance(cue, ActiveCue) else None
        return [CueUpdated(at=now, settings=settings, next_run=next_run)]
    ended = isinstance(cue, CompletedCue | FailedCue)
    if ended and (refusal := cue_limit(account)):
        return refusal
    return [
        *skip_passed(cue, now, "rescheduled"),
        CueUpdated(
            at=now,
            settings=settings,
            next_run=None if isinstance(cue, PausedCue) else next_slot(settings.schedule, now),
            reactivated=ended,
        ),
    ]


def _status(
    cue: Cue, status: str | None, account: Account, now: datetime
) -> list[CueEvent] | Rejection:
    match status, cue:
        case ("paused", ActiveCue()):
            return [*skip_passed(cue, now, "paused"), CuePaused(at=now)]
        case ("paused", CompletedCue() | FailedCue()):
            message = "the cue has ended; give it a new schedule to make it active again"
            return Rejection(code="invalid_state", message=message)
        case ("active", PausedCue()):
            return _resumed(cue, account, now)
        case ("active", CompletedCue() | FailedCue()):
            return _needs_schedule()
        case _:
            return []


def _resumed(cue: Cue, account: Account, now: datetime) -> list[CueEvent] | Rejection:
    schedule = cue.facts.settings.schedule
    if schedule.at is not None and schedule.at <= now:
        return _needs_schedule()
    if refusal := cue_limit(account):
        return refusal
    return [
        *skip_passed(cue, now, "paused"),
        CueResumed(at=now, next_run=next_slot(schedule, now)),
    ]


def _needs_schedule() -> Rejection:
    message = "the cue's one run is in the past; give it a new schedule with the status"
    return Rejection(code="invalid_schedule", message=message)
