"""What an owner answers to an accepted command: the facts that its caller needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from libs.events import alerts, cues, execution_commands
from libs.events.base import Command, Reference, Value


class Done(Value):
    """Nothing more to say."""


class CueAnswer(Value):
    """The cue as it is now can be read from `api_cues`; this says which version answered."""

    cue_id: str
    version: int


class ExecutionAnswer(Value):
    """An execution was made by a fire or a replay."""

    execution_id: str
    cue_id: str
    scheduled_for: datetime
    triggered_by: str
    payload: Reference
    replayed_from: str | None = None


class ClaimAnswer(Value):
    """A worker holds the execution now; a dispatcher of an older release names no cue."""

    execution_id: str
    worker_id: str
    lease_seconds: int
    lease_until: datetime
    attempt: int
    payload: Reference
    cue_id: str | None = None
    cue_name: str | None = None
    scheduled_for: datetime | None = None


class LeaseAnswer(Value):
    """The lease now ends at `lease_until`."""

    execution_id: str
    lease_until: datetime


class HeartbeatAnswer(Value):
    """The worker was seen at `at`."""

    at: datetime


class RequestMade(Value):
    """A request as it was sent; values of the user's own headers are masked.

    `body` is the first of its characters; `cut` says that there are more.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: str
    cut: bool = False


class ResponseGot(Value):
    """What the callback answered; `body` and `cut` as for a request."""

    status: int
    headers: dict[str, str]
    body: str
    cut: bool = False


class DeliveryTestAnswer(Value):
    """A test delivery was made. If it failed, `error` is the class, and `message` for people."""

    request: RequestMade
    duration_ms: int
    response: ResponseGot | None = None
    error: str | None = None
    message: str | None = None


class OutcomeAnswer(Value):
    """The outcome as it is after the command."""

    execution_id: str
    outcome_state: str
    outcome_success: bool
    status: str
    reason: str | None = None


ANSWERS: Mapping[type[Command], type[Value]] = {
    cues.CreateCue: CueAnswer,
    cues.UpdateCue: CueAnswer,
    cues.DeleteCue: CueAnswer,
    cues.FireCue: ExecutionAnswer,
    cues.ReplayExecution: ExecutionAnswer,
    execution_commands.ClaimExecution: ClaimAnswer,
    execution_commands.ClaimNextExecution: ClaimAnswer,
    execution_commands.ExtendLease: LeaseAnswer,
    execution_commands.RecordWorkerHeartbeat: HeartbeatAnswer,
    execution_commands.DeleteWorker: Done,
    execution_commands.SendTestDelivery: DeliveryTestAnswer,
    execution_commands.ReportOutcome: OutcomeAnswer,
    execution_commands.AppendEvidence: OutcomeAnswer,
    execution_commands.VerifyOutcome: OutcomeAnswer,
    execution_commands.RequestVerification: OutcomeAnswer,
    alerts.AcknowledgeAlert: Done,
}
