"""What each event of an execution means, in one sentence (contract §16, timeline)."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptPostponed,
    AttemptStarted,
    AttemptSucceeded,
    DeliveryFailed,
    EvidenceAppended,
    ExecutionCancelled,
    ExecutionClaimed,
    ExecutionEvent,
    ExecutionMissed,
    ExecutionScheduled,
    LateResultRecorded,
    LeaseExpired,
    LeaseExtended,
    OutcomeDeadlinePassed,
    OutcomeEvent,
    OutcomeReported,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from services.api.rules.timestamps import wire_time

AttemptEvent: TypeAlias = (
    AttemptPostponed
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptLost
    | LateResultRecorded
    | DeliveryFailed
    | ExecutionCancelled
)
ClaimEvent: TypeAlias = ExecutionClaimed | LeaseExtended | LeaseExpired | ExecutionMissed

_TRIGGERS = {
    "scheduled": "The cue came due",
    "catch_up": "A missed run was caught up",
    "manual_fire": "The cue was fired by hand",
    "replay": "An earlier execution was replayed",
}


def summary(event: ExecutionEvent) -> str:
    """Tell an event."""
    if isinstance(event, ExecutionScheduled):
        why = _TRIGGERS.get(event.triggered_by, event.triggered_by)
        told = f"{why}, for {wire_time(event.scheduled_for)}"
        return f"{told}; not run: {event.blocked}" if event.blocked else told
    if isinstance(event, AttemptEvent):
        return _attempt(event)
    if isinstance(event, ClaimEvent):
        return _claim(event)
    return _outcome(event)


def _attempt(event: AttemptEvent) -> str:
    match event:
        case AttemptPostponed():
            until = wire_time(event.due_at)
            return f"Put off until {until}: the destination has failed many times in a row"
        case AttemptStarted():
            return f"Attempt {event.epoch} started"
        case AttemptSucceeded():
            return f"Attempt {event.epoch} was answered {event.http_status}: delivered"
        case AttemptFailed():
            return f"Attempt {event.epoch} failed: {event.message}{_then(event)}"
        case AttemptLost():
            return f"Attempt {event.epoch} was lost with the process that made it{_then(event)}"
        case LateResultRecorded():
            return f"A result came too late for attempt {event.epoch}; it changed nothing"
        case DeliveryFailed():
            return f"Delivery failed after {event.attempts} attempts"
        case ExecutionCancelled():
            return f"Cancelled: {event.reason}"
        case _:
            assert_never(event)


def _claim(event: ClaimEvent) -> str:
    match event:
        case ExecutionClaimed():
            return f"Worker {event.worker_id} claimed it until {wire_time(event.lease_until)}"
        case LeaseExtended():
            return f"The claim was extended until {wire_time(event.lease_until)}"
        case LeaseExpired():
            return "The worker was lost; it can be claimed again"
        case ExecutionMissed():
            return "No worker claimed it in time"
        case _:
            assert_never(event)


def _outcome(event: OutcomeEvent) -> str:
    match event:
        case OutcomeReported():
            result = "success" if event.report.success else "failure"
            place = "in the answer" if event.source == "response" else "by the API"
            return f"The agent reported {result} {place}"
        case EvidenceAppended():
            return f"Evidence was added: {', '.join(event.evidence) or 'no more of it'}"
        case OutcomeVerified():
            return "The outcome was verified" + _by(event.by)
        case VerificationRequested():
            return "A person is asked to verify the outcome"
        case VerificationFailed():
            why = f"{event.missing} missing" if event.missing else event.reason
            return f"Verification failed{_by(event.by)}" + (f": {why}" if why else "")
        case OutcomeDeadlinePassed():
            return "No outcome was reported in time"
        case _:
            assert_never(event)


def _then(event: AttemptFailed | AttemptLost) -> str:
    return f"; next try at {wire_time(event.retry_at)}" if event.retry_at else ""


def _by(who: str) -> str:
    return " by a person" if who == "person" else ""
