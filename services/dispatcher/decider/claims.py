"""What becomes of a claim, a heartbeat, and a lease that ends. Pure (contract §7, §16)."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.events.base import Rejection, Transport, Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.execution_events import (
    DeliveryEvent,
    DeliveryFailed,
    ExecutionCancelled,
    ExecutionClaimed,
    ExecutionMissed,
    LeaseExpired,
    LeaseExtended,
)
from libs.events.executions import Claimed, Execution, Pending

CAP = timedelta(hours=24)


class LeaseTerms(Value):
    """How long leases last: seconds of a claim, of a worker's silence, and until missed."""

    claim_seconds: int = 900
    silence_seconds: int = 180
    unclaimed_seconds: int = 900


def claim(
    execution: Execution,
    worker_id: str,
    lease_seconds: int | None,
    terms: LeaseTerms,
    now: datetime,
) -> ExecutionClaimed | Rejection:
    """Lend a claimable execution to a worker; a short lease when `lease_seconds` is given."""
    facts = execution.facts
    claimable = isinstance(execution, Pending) and execution.due_at <= now
    if facts.transport is not Transport.WORKER or not claimable:
        message = "the execution is not claimable: taken, ended, not yet due, or a webhook's"
        return Rejection(code="claim_failed", message=message)
    seconds = lease_seconds or terms.claim_seconds
    return ExecutionClaimed(
        at=now,
        epoch=facts.attempts + 1,
        worker_id=worker_id,
        lease_seconds=seconds,
        lease_until=now + timedelta(seconds=seconds),
        expires_at=now + CAP,
        held_by_heartbeat=lease_seconds is None,
    )


def extend_lease(
    execution: Execution, worker_id: str | None, now: datetime
) -> LeaseExtended | Rejection:
    """Renew a claim; refused for another worker's id, and when nobody holds it.

    A short lease is lost when it ends; one that a worker's heartbeat holds ends with `end_lease`.
    """
    if not isinstance(execution, Claimed) or _short_and_over(execution, now):
        message = "no worker holds the execution; claim it first"
        return Rejection(code="execution_not_claiming", message=message)
    if worker_id is not None and worker_id != execution.worker_id:
        message = f"worker '{worker_id}' does not hold the execution"
        return Rejection(code="not_execution_owner", message=message)
    until = now + timedelta(seconds=execution.lease_seconds)
    return LeaseExtended(at=now, epoch=execution.facts.attempts, lease_until=until)


def end_lease(
    execution: Execution,
    settings: CueSettings | None,
    last_heartbeat_at: datetime | None,
    terms: LeaseTerms,
    now: datetime,
) -> list[DeliveryEvent]:
    """Take the execution back when its lease has ended, unless the worker's heartbeat holds it."""
    if not isinstance(execution, Claimed) or execution.lease_until > now:
        return []
    if settings is None:
        return [ExecutionCancelled(at=now, reason="cue_deleted")]
    epoch = execution.facts.attempts
    if execution.held_by_heartbeat and last_heartbeat_at is not None:
        held_until = last_heartbeat_at + timedelta(seconds=terms.silence_seconds)
        if held_until > now:
            held = LeaseExtended(
                at=now, epoch=epoch, lease_until=held_until, by_worker_heartbeat=True
            )
            return [held]
    expired = LeaseExpired(
        at=now,
        epoch=epoch,
        due_at=now,
        expires_at=now + timedelta(seconds=terms.unclaimed_seconds),
    )
    if epoch < settings.retry.max_attempts:
        return [expired]
    return [expired, DeliveryFailed(at=now, attempts=epoch)]


def miss(execution: Execution, settings: CueSettings | None, now: datetime) -> list[DeliveryEvent]:
    """End a worker's execution that nobody claimed in time."""
    if not isinstance(execution, Pending) or execution.expires_at is None:
        return []
    if execution.expires_at > now:
        return []
    if settings is None:
        return [ExecutionCancelled(at=now, reason="cue_deleted")]
    return [ExecutionMissed(at=now)]


def _short_and_over(claimed: Claimed, now: datetime) -> bool:
    return not claimed.held_by_heartbeat and claimed.lease_until <= now
