"""What happens to an execution. Each type has one writer: see docs/architecture.md."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from libs.events.base import Event, Reference, Transport, VerificationMode
from libs.events.executions import Report, SentHeaders


class ExecutionScheduled(Event):
    """An execution was made for a slot, a fire or a replay; the first event of its stream.

    `due_at` is when it may be delivered or claimed; `expires_at` when an unclaimed one is missed;
    `next_run` is the cue's next slot afterwards; `blocked` names the limit that ended it at once;
    `starts_grace` marks the one that reached the month's limit (contract §10).
    """

    execution_id: str
    account_id: str
    cue_id: str
    transport: Transport
    scheduled_for: datetime
    due_at: datetime
    triggered_by: str
    payload: Reference = Reference()
    replayed_from: str | None = None
    expires_at: datetime | None = None
    next_run: datetime | None = None
    blocked: str | None = None
    starts_grace: bool = False
    traceparent: str | None = None


class AttemptPostponed(Event):
    """The attempt that was due waits until `due_at`: its destination fails again and again."""

    due_at: datetime


class AttemptStarted(Event):
    """A dispatcher holds the execution until `lease_until` and POSTs it now."""

    epoch: int
    lease_until: datetime


class AttemptSucceeded(Event):
    """The callback answered 2xx. A `report` in the answer waits for the outcomes service."""

    epoch: int
    http_status: int
    response_ref: str | None = None
    outcome_deadline_at: datetime | None = None
    report: Report | None = None
    sent: SentHeaders | None = None


class AttemptFailed(Event):
    """The attempt ended without an ACK; `retry_at` None means that it was the last one."""

    epoch: int
    error: str
    message: str
    http_status: int | None = None
    response_ref: str | None = None
    retry_at: datetime | None = None
    sent: SentHeaders | None = None


class AttemptLost(Event):
    """The attempt's lease ended without a result: its dispatcher died."""

    epoch: int
    retry_at: datetime | None = None


class LateResultRecorded(Event):
    """A result came for an attempt that was no longer the current one; nothing changes."""

    epoch: int
    http_status: int | None = None


class DeliveryFailed(Event):
    """No attempt is left."""

    attempts: int


class ExecutionClaimed(Event):
    """A worker holds the execution until `lease_until`; `expires_at` is the 24-hour cap.

    `held_by_heartbeat` tells the rule of §7 (the worker's heartbeat holds the lease too) from the
    short lease of §16.
    """

    epoch: int
    worker_id: str
    lease_seconds: int
    lease_until: datetime
    expires_at: datetime
    held_by_heartbeat: bool = True


class LeaseExtended(Event):
    """The claim goes on until `lease_until`: by the claim's own heartbeat, or by its worker's."""

    epoch: int
    lease_until: datetime
    by_worker_heartbeat: bool = False


class LeaseExpired(Event):
    """The worker was lost; `due_at`/`expires_at` say when the execution is claimable and missed."""

    epoch: int
    due_at: datetime
    expires_at: datetime


class ExecutionMissed(Event):
    """Nobody claimed the execution in time."""


class ExecutionCancelled(Event):
    """The cue was deleted before the execution could go on."""

    reason: str


class OutcomeReported(Event):
    """The outcome is on record; write-once."""

    report: Report
    source: str
    mode: VerificationMode
    worker_id: str | None = None


class EvidenceAppended(Event):
    """More evidence came after the outcome."""

    details_ref: str
    evidence: tuple[str, ...]
    result_type: str | None = None


class OutcomeVerified(Event):
    """The success is backed as the mode asks, or by a person (`by`: policy or person)."""

    by: str = "policy"


class VerificationRequested(Event):
    """A person must judge the outcome."""

    by: str = "policy"


class VerificationFailed(Event):
    """Evidence is `missing`, or a person rejected the outcome with a `reason`."""

    by: str = "policy"
    missing: str | None = None
    reason: str | None = None


class OutcomeDeadlinePassed(Event):
    """No outcome came in time."""


DeliveryEvent: TypeAlias = (
    AttemptPostponed
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptLost
    | LateResultRecorded
    | DeliveryFailed
    | ExecutionClaimed
    | LeaseExtended
    | LeaseExpired
    | ExecutionMissed
    | ExecutionCancelled
)
OutcomeEvent: TypeAlias = (
    OutcomeReported
    | EvidenceAppended
    | OutcomeVerified
    | VerificationRequested
    | VerificationFailed
    | OutcomeDeadlinePassed
)
ExecutionEvent: TypeAlias = ExecutionScheduled | DeliveryEvent | OutcomeEvent
