"""The execution: one run of a cue, from its slot to its verified outcome (contract §4, §7, §8).

Delivery and outcome are two axes. The stage types are the delivery's; what is known of the
outcome lies in `Facts.outcome` and may come in any stage.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from libs.events.base import Reference, Transport, Value, VerificationMode

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
