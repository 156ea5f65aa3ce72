"""Executions: what they are, their outcomes, their claims, their past."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from cueapi.models.model import Model
from cueapi.models.page import Page


class OutcomeDetail(Model):
    """What was reported about an execution, and the evidence for it."""

    success: bool
    result: str | None
    error: str | None
    metadata: dict[str, Any] | None
    recorded_at: datetime
    source: str
    external_id: str | None
    result_url: str | None
    result_ref: str | None
    result_type: str | None
    summary: str | None
    artifacts: list[Any] | None
    evidence_metadata: dict[str, Any] | None
    validation_state: str | None


class Execution(Model):
    """One run of a cue (contract §2, shared objects)."""

    id: str
    cue_id: str
    cue_name: str
    transport: str
    status: str
    triggered_by: str
    replayed_from: str | None
    scheduled_for: datetime
    payload: dict[str, Any]
    attempts: int
    http_status: int | None
    response_body: str | None
    error_message: str | None
    next_retry: datetime | None
    started_at: datetime | None
    delivered_at: datetime | None
    last_attempt_at: datetime | None
    outcome_deadline_at: datetime | None
    claimed_by_worker: str | None
    claimed_at: datetime | None
    last_heartbeat_at: datetime | None
    lease_expires_at: datetime | None
    outcome_state: str | None
    outcome_success: bool | None
    outcome: OutcomeDetail | None
    trace_id: str | None
    created_at: datetime
    updated_at: datetime


class ExecutionList(Page[Execution]):
    """A page of executions."""

    _plural: ClassVar[str] = "executions"
    _kind: ClassVar[type[Model]] = Execution

    executions: list[Execution]
    has_more: bool
    oldest_claimed_at: datetime | None


class NewExecution(Model):
    """An execution that a fire or a replay has just made."""

    id: str
    execution_id: str
    cue_id: str
    scheduled_for: datetime
    status: str
    triggered_by: str
    payload: dict[str, Any]
    replayed_from: str | None


class SkippedReplay(Model):
    """An execution that was not replayed; `reason` is an error code."""

    execution_id: str
    reason: str


class BulkReplay(Model):
    """How many executions matched, and what became of them."""

    matched: int
    replayed: int
    skipped: list[SkippedReplay]
    execution_ids: list[str]


class RecordedOutcome(Model):
    """An outcome went on record; `reason` tells which evidence is missing."""

    execution_id: str
    outcome_recorded: bool
    outcome_state: str
    outcome_success: bool
    status: str
    reason: str | None


class EvidenceUpdate(Model):
    """Evidence was added."""

    execution_id: str
    outcome_state: str
    outcome_success: bool
    evidence_updated: bool


class VerificationResult(Model):
    """An outcome was judged."""

    execution_id: str
    outcome_state: str
    valid: bool
    reason: str | None


class VerificationRequest(Model):
    """A judgement was asked for."""

    execution_id: str
    outcome_state: str


class ClaimableExecution(Model):
    """An execution that a worker may claim; `attempt` is the number that the claim would get."""

    execution_id: str
    cue_id: str
    cue_name: str
    task: str | None
    scheduled_for: datetime
    payload: dict[str, Any]
    attempt: int


class ClaimableList(Model):
    """Executions to claim, oldest first."""

    executions: list[ClaimableExecution]


class Claim(Model):
    """A worker holds an execution until `lease_expires_at`."""

    claimed: bool
    execution_id: str
    worker_id: str
    lease_seconds: int
    lease_expires_at: datetime
    attempt: int
    payload: dict[str, Any]
    cue_id: str | None
    cue_name: str | None
    scheduled_for: datetime | None


class Lease(Model):
    """A lease was extended."""

    execution_id: str
    acknowledged: bool
    lease_extended_until: datetime


class TimelineEvent(Model):
    """One thing that happened."""

    at: datetime
    type: str
    summary: str
    data: dict[str, Any]
    actor: str
    trace_id: str | None
    version: int


class Timeline(Model):
    """All that happened to an execution, oldest first."""

    execution_id: str
    events: list[TimelineEvent]
    total: int


class Attempt(Model):
    """One delivery attempt: what was sent and answered."""

    attempt: int
    started_at: datetime
    ended_at: datetime | None
    result: str
    request_headers: dict[str, str]
    http_status: int | None
    response_body: str | None
    error: str | None
    error_message: str | None
    retry_at: datetime | None


class AttemptList(Model):
    """The delivery attempts of an execution, first to last."""

    execution_id: str
    attempts: list[Attempt]
    total: int
