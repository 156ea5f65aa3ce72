"""How an execution's events fold into its stage, and what of it is projected onto its row."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from libs.events.base import Transport
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
    OutcomeReported,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from libs.events.executions import (
    Cancelled,
    Claimed,
    Delivering,
    Execution,
    Facts,
    Failed,
    Missed,
    Outcome,
    Pending,
    Retrying,
    Succeeded,
    TimedOut,
)


def evolve(state: Execution | None, event: ExecutionEvent) -> Execution:
    """Fold one event into the execution's state; never refuses, the past happened."""
    if isinstance(event, ExecutionScheduled):
        return _scheduled(event)
    assert state is not None, f"{type(event).__name__} before ExecutionScheduled"
    facts = replace(state.facts, updated_at=event.at)
    match event:
        case AttemptStarted() | AttemptSucceeded() | AttemptFailed() | AttemptLost():
            return _attempted(state, facts, event)
        case AttemptPostponed():
            return _postponed(state, facts, event)
        case LateResultRecorded():
            return state
        case ExecutionClaimed() | LeaseExtended() | LeaseExpired():
            return _leased(state, facts, event)
        case DeliveryFailed() | ExecutionMissed() | ExecutionCancelled():
            return _ended(facts, event)
        case OutcomeReported():
            return _reported(state, facts, event)
        case OutcomeDeadlinePassed():
            return TimedOut(facts=replace(facts, outcome_missed=True))
        case (
            EvidenceAppended() | OutcomeVerified() | VerificationRequested() | VerificationFailed()
        ):
            return replace(state, facts=replace(facts, outcome=_judged(facts, event)))
        case _:
            assert_never(event)


def _ended(facts: Facts, event: DeliveryFailed | ExecutionMissed | ExecutionCancelled) -> Execution:
    match event:
        case DeliveryFailed():
            return Failed(facts=facts)
        case ExecutionMissed():
            return Missed(facts=facts)
        case ExecutionCancelled():
            return Cancelled(facts=facts)
        case _:
            assert_never(event)


def _scheduled(event: ExecutionScheduled) -> Execution:
    facts = Facts(
        id=event.execution_id,
        account_id=event.account_id,
        cue_id=event.cue_id,
        transport=event.transport,
        triggered_by=event.triggered_by,
        scheduled_for=event.scheduled_for,
        payload=event.payload,
        created_at=event.at,
        updated_at=event.at,
        replayed_from=event.replayed_from,
        traceparent=event.traceparent,
        error_message=event.blocked,
    )
    if event.blocked is not None:
        return Failed(facts=facts, blocked=True)
    return Pending(facts=facts, due_at=event.due_at, expires_at=event.expires_at)


def _postponed(state: Execution, facts: Facts, event: AttemptPostponed) -> Execution:
    if not isinstance(state, Pending | Retrying):
        return state
    since = state.postponed_from or state.due_at
    return replace(state, facts=facts, due_at=event.due_at, postponed_from=since)


def _attempted(
    state: Execution,
    facts: Facts,
    event: AttemptStarted | AttemptSucceeded | AttemptFailed | AttemptLost,
) -> Execution:
    match event:
        case AttemptStarted():
            begun = replace(
                facts,
                attempts=event.epoch,
                started_at=facts.started_at or event.at,
                last_attempt_at=event.at,
            )
            return Delivering(facts=begun, lease_until=event.lease_until)
        case AttemptSucceeded():
            return _acknowledged(state, facts, event)
        case AttemptFailed():
            facts = replace(
                facts,
                attempts_ended=event.epoch,
                http_status=event.http_status,
                error_message=event.message,
            )
            return _after_failure(state, facts, event.retry_at)
        case AttemptLost():
            facts = replace(
                facts,
                attempts_ended=event.epoch,
                http_status=None,
                error_message="the attempt was lost",
            )
            return _after_failure(state, facts, event.retry_at)
        case _:
            assert_never(event)


def _acknowledged(state: Execution, facts: Facts, event: AttemptSucceeded) -> Execution:
    facts = replace(
        facts,
        attempts_ended=event.epoch,
        http_status=event.http_status,
        response_ref=event.response_ref,
        error_message=None,
        delivered_at=facts.delivered_at or event.at,
    )
    if not isinstance(state, Delivering | Retrying):
        return replace(state, facts=facts)
    return Succeeded(
        facts=facts, outcome_deadline_at=event.outcome_deadline_at, report=event.report
    )


def _after_failure(state: Execution, facts: Facts, retry_at: datetime | None) -> Execution:
    if retry_at is None or not isinstance(state, Delivering):
        return replace(state, facts=facts)
    return Retrying(facts=facts, due_at=retry_at)


def _leased(
    state: Execution, facts: Facts, event: ExecutionClaimed | LeaseExtended | LeaseExpired
) -> Execution:
    match event:
        case ExecutionClaimed():
            claimed = replace(
                facts,
                attempts=event.epoch,
                started_at=facts.started_at or event.at,
                last_attempt_at=event.at,
                last_worker=event.worker_id,
                claimed_at=event.at,
            )
            return Claimed(
                facts=claimed,
                worker_id=event.worker_id,
                lease_seconds=event.lease_seconds,
                lease_until=event.lease_until,
                expires_at=event.expires_at,
                held_by_heartbeat=event.held_by_heartbeat,
            )
        case LeaseExtended():
            assert isinstance(state, Claimed)
            beat_at = state.last_heartbeat_at if event.by_worker_heartbeat else event.at
            return replace(
                state, facts=facts, lease_until=event.lease_until, last_heartbeat_at=beat_at
            )
        case LeaseExpired():
            lost = f"lease lost by worker '{facts.last_worker}'"
            facts = replace(facts, attempts_ended=event.epoch, claimed_at=None, error_message=lost)
            return Pending(facts=facts, due_at=event.due_at, expires_at=event.expires_at)
        case _:
            assert_never(event)


def _reported(state: Execution, facts: Facts, event: OutcomeReported) -> Execution:
    outcome = Outcome(
        report=event.report,
        state="reported_success" if event.report.success else "reported_failure",
        source=event.source,
        mode=event.mode,
        recorded_at=event.at,
    )
    facts = replace(facts, outcome=outcome)
    if facts.transport is Transport.WORKER:
        facts = replace(facts, attempts_ended=facts.attempts)
        if not event.report.success:
            return Failed(facts=facts)
        return Succeeded(facts=replace(facts, delivered_at=event.at, error_message=None))
    if isinstance(state, Failed) and not event.report.success:
        return replace(state, facts=facts)
    return Succeeded(facts=facts)


def _judged(
    facts: Facts,
    event: EvidenceAppended | OutcomeVerified | VerificationRequested | VerificationFailed,
) -> Outcome:
    outcome = facts.outcome
    assert outcome is not None, f"{type(event).__name__} before OutcomeReported"
    match event:
        case EvidenceAppended():
            report = replace(
                outcome.report,
                details_ref=event.details_ref,
                evidence=event.evidence,
                result_type=event.result_type or outcome.report.result_type,
            )
            return replace(outcome, report=report)
        case OutcomeVerified():
            validation = "valid" if event.by == "policy" else outcome.validation
            return replace(outcome, state="verified_success", validation=validation, reason=None)
        case VerificationRequested():
            return replace(outcome, state="verification_pending")
        case VerificationFailed():
            return replace(
                outcome,
                state="verification_failed",
                validation="invalid" if event.by == "policy" else outcome.validation,
                reason=f"{event.missing} missing" if event.missing else event.reason,
                rejection=event.reason if event.by == "person" else outcome.rejection,
            )
        case _:
            assert_never(event)
