"""The execution: one run of a cue, from its slot to its verified outcome (contract §4, §7, §8).

Delivery and outcome are two axes. The stage types are the delivery's; what is known of the
outcome lies in `Facts.outcome` and may come in any stage.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from libs.events.base import Command, Event, Reference, Transport, Value, VerificationMode

CATEGORY = "execution"


class Report(Value):
    """What an agent says about its work; texts and evidence lie in `blobs` under `details_ref`.

    `evidence` names the fields that were given: external_id, result_url, artifacts.
    """

    success: bool
    details_ref: str | None = None
    evidence: tuple[str, ...] = ()
    result_type: str | None = None


class SentHeaders(Value):
    """What of an attempt's request headers cannot be told from the execution later.

    Signatures are as sent: they prove the secret and do not tell it. `own` names the headers which
    the user added; their values may be secrets and are never here.
    """

    timestamp: int
    signature: str
    webhook_signature: str
    previous_signature: str | None = None
    traceparent: str | None = None
    own: tuple[str, ...] = ()


class ClaimExecution(Command):
    """Take one execution for a worker. `lease_seconds` asks for the short lease of §16."""

    execution_id: str
    worker_id: str
    lease_seconds: int | None = None


class ClaimNextExecution(Command):
    """Take the oldest claimable execution which matches; its task is one of `tasks`, if given."""

    worker_id: str
    task: str | None = None
    tasks: tuple[str, ...] | None = None
    agent: str | None = None
    lease_seconds: int | None = None


class ExtendLease(Command):
    """Keep a claimed execution; the worker id is checked when it is given."""

    execution_id: str
    worker_id: str | None = None


class RecordWorkerHeartbeat(Command):
    """Say that a worker lives; `handlers` None keeps its last list."""

    worker_id: str
    handlers: tuple[str, ...] | None = None


class DeleteWorker(Command):
    """Forget a worker; its claims live until their leases end."""

    worker_id: str


class SendTestDelivery(Command):
    """Send a cue's webhook once, now, marked as a test; nothing of it goes on record."""

    cue_id: str


class ReportOutcome(Command):
    """Put an outcome on record; the first one stands."""

    execution_id: str
    report: Report
    worker_id: str | None = None


class AppendEvidence(Command):
    """Add evidence to a recorded outcome; `report.details_ref` is the merged document."""

    execution_id: str
    details_ref: str
    evidence: tuple[str, ...]
    result_type: str | None = None


class VerifyOutcome(Command):
    """Judge a recorded outcome by hand."""

    execution_id: str
    valid: bool = True
    reason: str | None = None


class RequestVerification(Command):
    """Ask for a judgement by hand."""

    execution_id: str


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


ExecutionCommand: TypeAlias = (
    ClaimExecution
    | ClaimNextExecution
    | ExtendLease
    | RecordWorkerHeartbeat
    | DeleteWorker
    | SendTestDelivery
    | ReportOutcome
    | AppendEvidence
    | VerifyOutcome
    | RequestVerification
)
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


class Outcome(Value):
    """The recorded outcome; `state` and `validation` as in contract §8."""

    report: Report
    state: str
    source: str
    mode: VerificationMode
    recorded_at: datetime
    validation: str | None = None
    reason: str | None = None
    rejection: str | None = None  # a person's reason; shown behind the summary


class Facts(Value):
    """What is true of an execution in every stage."""

    id: str
    account_id: str
    cue_id: str
    transport: Transport
    triggered_by: str
    scheduled_for: datetime
    payload: Reference
    created_at: datetime
    updated_at: datetime
    replayed_from: str | None = None
    traceparent: str | None = None
    attempts: int = 0
    attempts_ended: int = 0
    http_status: int | None = None
    response_ref: str | None = None
    error_message: str | None = None
    started_at: datetime | None = None
    delivered_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_worker: str | None = None
    claimed_at: datetime | None = None
    outcome: Outcome | None = None
    outcome_missed: bool = False


class Pending(Value, tag_field="stage", tag="pending"):
    """Waits for `due_at`; a worker's becomes missed at `expires_at`.

    `postponed_from` is when the attempt was due before it was postponed.
    """

    facts: Facts
    due_at: datetime
    expires_at: datetime | None = None
    postponed_from: datetime | None = None


class Delivering(Value, tag_field="stage", tag="delivering"):
    """An attempt is on the wire; `lease_until` is when its dispatcher counts as dead."""

    facts: Facts
    lease_until: datetime


class Claimed(Value, tag_field="stage", tag="claimed"):
    """A worker holds it."""

    facts: Facts
    worker_id: str
    lease_seconds: int
    lease_until: datetime
    expires_at: datetime
    held_by_heartbeat: bool = True
    last_heartbeat_at: datetime | None = None


class Retrying(Value, tag_field="stage", tag="retrying"):
    """The next attempt starts at `due_at`; `postponed_from` as for a pending one."""

    facts: Facts
    due_at: datetime
    postponed_from: datetime | None = None


class Succeeded(Value, tag_field="stage", tag="success"):
    """Delivered, or done by a worker. A `report` found in the answer is not yet decided on."""

    facts: Facts
    outcome_deadline_at: datetime | None = None
    report: Report | None = None


class Failed(Value, tag_field="stage", tag="failed"):
    """No attempt left, a worker's failure, or stopped by a limit (`blocked`)."""

    facts: Facts
    blocked: bool = False


class Missed(Value, tag_field="stage", tag="missed"):
    """No worker came."""

    facts: Facts


class TimedOut(Value, tag_field="stage", tag="outcome_timeout"):
    """Delivered or claimed, and then silence."""

    facts: Facts


class Cancelled(Value, tag_field="stage", tag="cancelled"):
    """Its cue was deleted."""

    facts: Facts


Execution: TypeAlias = (
    Pending | Delivering | Claimed | Retrying | Succeeded | Failed | Missed | TimedOut | Cancelled
)
