"""What becomes of an execution that is due, and of an attempt's result. Pure (contract §4, §6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.events.base import Transport, Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptPostponed,
    AttemptStarted,
    AttemptSucceeded,
    DeliveryEvent,
    DeliveryFailed,
    ExecutionCancelled,
    LateResultRecorded,
)
from libs.events.execution_rows import (
    TERMINAL,
    status,
)
from libs.events.executions import (
    Cancelled,
    Delivering,
    Execution,
    Pending,
    Report,
    Retrying,
    SentHeaders,
)
from services.dispatcher.rules.retry import retry_at

LONGEST_POSTPONED = timedelta(minutes=5)
LONGEST_STEP = timedelta(minutes=1)


class Acknowledged(Value):
    """The callback answered 2xx."""

    http_status: int
    response_ref: str | None = None
    report: Report | None = None
    sent: SentHeaders | None = None


class NotAcknowledged(Value):
    """The attempt failed: `error` is its class, `message` is for people."""

    error: str
    message: str
    http_status: int | None = None
    response_ref: str | None = None
    retry_after: int | None = None
    sent: SentHeaders | None = None


Result = Acknowledged | NotAcknowledged


def start_attempt(
    execution: Execution, settings: CueSettings | None, now: datetime, margin: timedelta
) -> list[DeliveryEvent]:
    """Begin the attempt that is due; `settings` None means that the cue was deleted.

    The lease ends `margin` after the attempt's timeout: by then its dispatcher is dead. An attempt
    that the cue's present `retry` no longer allows is not made.
    """
    if not _is_due(execution, now):
        return []
    if settings is None:
        return [ExecutionCancelled(at=now, reason="cue_deleted")]
    made = execution.facts.attempts
    if made >= settings.retry.max_attempts:
        return [DeliveryFailed(at=now, attempts=made)]
    lease = timedelta(seconds=settings.delivery.timeout_seconds) + margin
    return [AttemptStarted(at=now, epoch=made + 1, lease_until=now + lease)]


def postpone_attempt(
    execution: Execution, wait: timedelta, now: datetime
) -> AttemptPostponed | None:
    """Put the attempt that is due off by `wait`, but never `LONGEST_POSTPONED` in all.

    What has waited for long waits for longer, so that its log stays short. None when it has waited
    long enough: then it is made whatever its destination does.
    """
    assert isinstance(execution, Pending | Retrying), "only what is due is put off"
    since = execution.postponed_from or execution.due_at
    wait = max(wait, min(now - since, LONGEST_STEP))
    until = min(now + wait, since + LONGEST_POSTPONED)
    return AttemptPostponed(at=now, due_at=until) if until > now else None


def lose_attempt(
    execution: Execution, settings: CueSettings | None, now: datetime
) -> list[DeliveryEvent]:
    """Count an attempt without a result as failed once its lease has ended."""
    if not isinstance(execution, Delivering) or execution.lease_until > now:
        return []
    if settings is None:
        return [ExecutionCancelled(at=now, reason="cue_deleted")]
    epoch = execution.facts.attempts
    again = retry_at(settings.retry, epoch, now)
    lost = AttemptLost(at=now, epoch=epoch, retry_at=again)
    return [lost] if again else [lost, DeliveryFailed(at=now, attempts=epoch)]


def record_result(
    execution: Execution | None,
    epoch: int,
    result: Result,
    settings: CueSettings | None,
    now: datetime,
) -> list[DeliveryEvent]:
    """Judge a result. One that comes late counts if nothing newer began, else it is noted only.

    For a deleted cue it is discarded, and ends what it belongs to.
    """
    if execution is None or isinstance(execution, Cancelled):
        return []
    if settings is None:
        ended = status(execution) in TERMINAL
        return [] if ended else [ExecutionCancelled(at=now, reason="cue_deleted")]
    if not _counts(execution, epoch, result):
        return [LateResultRecorded(at=now, epoch=epoch, http_status=result.http_status)]
    if isinstance(result, Acknowledged):
        return [_acknowledged(execution, epoch, result, settings, now)]
    return _failed(execution, epoch, result, settings, now)


def _is_due(execution: Execution, now: datetime) -> bool:
    match execution:
        case Pending(due_at=due) | Retrying(due_at=due):
            return due <= now and execution.facts.transport is Transport.WEBHOOK
        case _:
            return False


def _counts(execution: Execution, epoch: int, result: Result) -> bool:
    facts = execution.facts
    if epoch != facts.attempts:
        return False
    if facts.attempts_ended < epoch:
        return True
    return isinstance(execution, Retrying) and isinstance(result, Acknowledged)


def _acknowledged(
    execution: Execution, epoch: int, result: Acknowledged, settings: CueSettings, now: datetime
) -> AttemptSucceeded:
    decided = execution.facts.outcome is not None
    report = None if decided else result.report
    deadline = now + timedelta(seconds=settings.delivery.outcome_deadline_seconds)
    return AttemptSucceeded(
        at=now,
        epoch=epoch,
        http_status=result.http_status,
        response_ref=result.response_ref,
        outcome_deadline_at=None if decided or report else deadline,
        report=report,
        sent=result.sent,
    )


def _failed(
    execution: Execution, epoch: int, result: NotAcknowledged, settings: CueSettings, now: datetime
) -> list[DeliveryEvent]:
    open_attempt = isinstance(execution, Delivering)
    again = retry_at(settings.retry, epoch, now, result.retry_after) if open_attempt else None
    failed = AttemptFailed(
        at=now,
        epoch=epoch,
        error=result.error,
        message=result.message,
        http_status=result.http_status,
        response_ref=result.response_ref,
        retry_at=again,
        sent=result.sent,
    )
    if again or not open_attempt:
        return [failed]
    return [failed, DeliveryFailed(at=now, attempts=epoch)]
