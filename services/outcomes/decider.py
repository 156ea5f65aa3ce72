"""What becomes of a report, of evidence, of a verdict and of silence. Pure (contract §8)."""

from __future__ import annotations

from datetime import datetime

from libs.events.base import Rejection, VerificationMode
from libs.events.execution_commands import RequestVerification, VerifyOutcome
from libs.events.execution_events import (
    EvidenceAppended,
    OutcomeDeadlinePassed,
    OutcomeEvent,
    OutcomeReported,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from libs.events.executions import Claimed, Execution, Facts, Outcome, Report, Succeeded
from services.outcomes.rules import missing_evidence

Decided = list[OutcomeEvent] | Rejection


def report_outcome(
    execution: Execution | None,
    report: Report,
    mode: VerificationMode,
    *,
    source: str,
    worker_id: str | None,
    now: datetime,
) -> Decided:
    """Put the first outcome on record, in whatever stage the execution is; refuse any other."""
    if execution is None:
        return _not_found()
    facts = execution.facts
    if facts.outcome is not None:
        message = "an outcome is on record already; add evidence to it instead"
        return Rejection(code="outcome_already_recorded", message=message)
    if worker_id is not None and _owner(execution) not in (None, worker_id):
        message = f"worker '{worker_id}' does not hold the execution"
        return Rejection(code="not_execution_owner", message=message)
    reported = OutcomeReported(at=now, report=report, source=source, mode=mode, worker_id=worker_id)
    return [reported, *_verdict(report.success, mode, report.evidence, now)]


def append_evidence(
    execution: Execution | None,
    details_ref: str,
    evidence: tuple[str, ...],
    result_type: str | None,
    now: datetime,
    *,
    excess: Rejection | None = None,
) -> Decided:
    """Add evidence; what had failed for want of it is verified when it is there now.

    `excess` says that the outcome would then have too much of it.
    """
    outcome = _outcome(execution)
    if isinstance(outcome, Rejection):
        return outcome
    if excess is not None:
        return excess
    appended = EvidenceAppended(
        at=now, details_ref=details_ref, evidence=evidence, result_type=result_type
    )
    if _lacks_evidence(outcome) and missing_evidence(outcome.mode, evidence) is None:
        return [appended, OutcomeVerified(at=now)]
    return [appended]


def verify_outcome(execution: Execution | None, command: VerifyOutcome, now: datetime) -> Decided:
    """Take a person's verdict on an outcome that is reported, or that waits for it."""
    if execution is None:
        return _not_found()
    outcome = execution.facts.outcome
    judgeable = ("reported_success", "reported_failure", "verification_pending")
    if outcome is None or outcome.state not in judgeable:
        state = "no outcome" if outcome is None else outcome.state
        message = f"the execution has {state}; a verdict needs one of {', '.join(judgeable)}"
        return Rejection(code="invalid_state", message=message)
    if command.valid:
        return [OutcomeVerified(at=now, by="person")]
    return [VerificationFailed(at=now, by="person", reason=command.reason)]


def request_verification(
    execution: Execution | None, _: RequestVerification, now: datetime
) -> Decided:
    """Let a recorded outcome wait for a person; once is enough."""
    outcome = _outcome(execution)
    if isinstance(outcome, Rejection):
        return outcome
    if outcome.state == "verification_pending":
        return []
    return [VerificationRequested(at=now, by="person")]


def due(execution: Execution, mode: VerificationMode, now: datetime) -> list[OutcomeEvent]:
    """Decide on an outcome found in an answer, or on silence past the deadline."""
    match execution:
        case Succeeded(report=Report() as report):
            verdict = report_outcome(
                execution, report, mode, source="response", worker_id=None, now=now
            )
            return [] if isinstance(verdict, Rejection) else verdict
        case Succeeded(outcome_deadline_at=datetime() as deadline) if deadline <= now:
            return [OutcomeDeadlinePassed(at=now)]
        case Claimed(expires_at=cap) if cap <= now:
            return [OutcomeDeadlinePassed(at=now)]
        case _:
            return []


def _verdict(
    success: bool, mode: VerificationMode, evidence: tuple[str, ...], now: datetime
) -> list[OutcomeEvent]:
    if not success or mode is VerificationMode.NONE:
        return []
    if mode is VerificationMode.MANUAL:
        return [VerificationRequested(at=now)]
    missing = missing_evidence(mode, evidence)
    if missing is not None:
        return [VerificationFailed(at=now, missing=missing)]
    return [OutcomeVerified(at=now)]


def _lacks_evidence(outcome: Outcome) -> bool:
    # A person's rejection has no reason, or the same one in `rejection`; it stays (contract §8).
    by_policy = outcome.reason is not None and outcome.rejection is None
    return outcome.state == "verification_failed" and by_policy


def _outcome(execution: Execution | None) -> Outcome | Rejection:
    if execution is None:
        return _not_found()
    if execution.facts.outcome is None:
        message = "no outcome is on record yet; report it first"
        return Rejection(code="no_outcome", message=message)
    return execution.facts.outcome


def _owner(execution: Execution) -> str | None:
    """The worker that holds the execution, else the last one that did."""
    facts: Facts = execution.facts
    return execution.worker_id if isinstance(execution, Claimed) else facts.last_worker


def _not_found() -> Rejection:
    return Rejection(code="execution_not_found", message="no such execution in this account")
