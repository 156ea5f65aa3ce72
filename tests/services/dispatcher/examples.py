"""Executions in each stage, as the events that lead there. All begin at noon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from libs.events.base import Event, Transport, VerificationMode
from libs.events.cue_settings import (
    CueSettings,
    Delivery,
    Retry,
)
from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    DeliveryFailed,
    ExecutionCancelled,
    ExecutionClaimed,
    ExecutionMissed,
    LeaseExpired,
    OutcomeDeadlinePassed,
    OutcomeReported,
)
from libs.events.executions import Report
from tests.services.scheduler import examples as cues

NOON = cues.NOON
HOUR, MINUTE, SECOND = cues.HOUR, cues.MINUTE, cues.SECOND
MARGIN = timedelta(seconds=10)
WORKER = "my-macmini-worker"

SETTINGS = cues.SETTINGS
WEBHOOK = cues.fired(NOON)
FOR_WORKER = replace(WEBHOOK, transport=Transport.WORKER, expires_at=NOON + 15 * MINUTE)
BLOCKED = replace(WEBHOOK, blocked="execution_limit_exceeded: the month's executions are used up")


def with_retry(max_attempts: int, *backoff_minutes: int) -> CueSettings:
    retry = Retry(max_attempts=max_attempts, backoff_minutes=backoff_minutes or (1, 5, 15))
    return replace(SETTINGS, retry=retry)


def with_delivery(timeout: int = 30, deadline: int = 300) -> CueSettings:
    delivery = Delivery(timeout_seconds=timeout, outcome_deadline_seconds=deadline)
    return replace(SETTINGS, delivery=delivery)


def started(epoch: int = 1, at: datetime = NOON) -> AttemptStarted:
    return AttemptStarted(at=at, epoch=epoch, lease_until=at + 30 * SECOND + MARGIN)


def acknowledged(
    at: datetime = NOON + SECOND, epoch: int = 1, report: Report | None = None
) -> AttemptSucceeded:
    return AttemptSucceeded(
        at=at,
        epoch=epoch,
        http_status=200,
        outcome_deadline_at=None if report else at + 5 * MINUTE,
        report=report,
    )


def failed(
    at: datetime = NOON + SECOND, epoch: int = 1, retry_at: datetime | None = None
) -> AttemptFailed:
    return AttemptFailed(
        at=at,
        epoch=epoch,
        error="status",
        message="the callback answered with an error status (500)",
        http_status=500,
        retry_at=retry_at,
    )


def claimed(
    at: datetime = NOON,
    epoch: int = 1,
    worker: str = WORKER,
    seconds: int = 900,
    short: bool = False,
) -> ExecutionClaimed:
    return ExecutionClaimed(
        at=at,
        epoch=epoch,
        worker_id=worker,
        lease_seconds=seconds,
        lease_until=at + seconds * SECOND,
        expires_at=at + 24 * HOUR,
        held_by_heartbeat=not short,
    )


def expired(at: datetime, epoch: int = 1) -> LeaseExpired:
    return LeaseExpired(at=at, epoch=epoch, due_at=at, expires_at=at + 15 * MINUTE)


def reported(
    success: bool = True,
    at: datetime = NOON + 2 * SECOND,
    mode: VerificationMode = VerificationMode.NONE,
    evidence: tuple[str, ...] = (),
) -> OutcomeReported:
    report = Report(success=success, evidence=evidence)
    return OutcomeReported(at=at, report=report, source="api", mode=mode)


LOST = AttemptLost(at=NOON + MINUTE, epoch=1, retry_at=NOON + 2 * MINUTE)
LAST = failed(at=NOON + HOUR, epoch=3)
GIVEN_UP = DeliveryFailed(at=NOON + HOUR, attempts=3)
LEASE_ENDED = NOON + 15 * MINUTE

WEBHOOK_STAGES: Mapping[str, tuple[Event, ...]] = {
    "pending": (WEBHOOK,),
    "delivering": (WEBHOOK, started()),
    "retrying": (WEBHOOK, started(), failed(retry_at=NOON + MINUTE)),
    "lost": (
        WEBHOOK,
        started(),
        AttemptLost(at=NOON + MINUTE, epoch=1, retry_at=NOON + 2 * MINUTE),
    ),
    "success": (WEBHOOK, started(), acknowledged()),
    "answered": (WEBHOOK, started(), acknowledged(report=Report(success=True))),
    "reported": (WEBHOOK, started(), acknowledged(), reported()),
    "reported failure": (WEBHOOK, started(), acknowledged(), reported(success=False)),
    "reported early": (WEBHOOK, started(), reported()),
    "failed": (WEBHOOK, started(epoch=3), LAST, GIVEN_UP),
    "failed and reported": (WEBHOOK, started(epoch=3), LAST, GIVEN_UP, reported(success=False)),
    "blocked": (BLOCKED,),
    "outcome_timeout": (
        WEBHOOK,
        started(),
        acknowledged(),
        OutcomeDeadlinePassed(at=NOON + 6 * MINUTE),
    ),
    "cancelled": (WEBHOOK, ExecutionCancelled(at=NOON, reason="cue_deleted")),
}
WORKER_STAGES: Mapping[str, tuple[Event, ...]] = {
    "worker pending": (FOR_WORKER,),
    "worker pending again": (FOR_WORKER, claimed(), expired(LEASE_ENDED)),
    "claimed": (FOR_WORKER, claimed()),
    "worker success": (FOR_WORKER, claimed(), reported()),
    "worker failure": (FOR_WORKER, claimed(), reported(success=False)),
    "worker failed": (
        FOR_WORKER,
        claimed(epoch=3),
        expired(LEASE_ENDED, epoch=3),
        DeliveryFailed(at=LEASE_ENDED, attempts=3),
    ),
    "missed": (FOR_WORKER, ExecutionMissed(at=LEASE_ENDED)),
    "worker timeout": (FOR_WORKER, claimed(), OutcomeDeadlinePassed(at=NOON + 24 * HOUR)),
}
STAGES: Mapping[str, tuple[Event, ...]] = {**WEBHOOK_STAGES, **WORKER_STAGES}
