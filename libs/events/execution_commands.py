"""The commands about executions: of workers, and about outcomes (contract §7, §8)."""

from __future__ import annotations

from typing import TypeAlias

from libs.events.base import Command
from libs.events.executions import Report


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
