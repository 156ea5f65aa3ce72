"""What shows of an execution: its status, when it is due, and its row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never

from libs.events.base import Transport
from libs.events.executions import (
    Cancelled,
    Claimed,
    Delivering,
    Execution,
    Facts,
    Failed,
    Missed,
    Pending,
    Retrying,
    Succeeded,
    TimedOut,
)


def status(execution: Execution) -> str:
    """Name the stage as the wire does (contract §4); a claim reads `delivering`."""
    match execution:
        case Delivering() | Claimed():
            return "delivering"
        case Pending():
            return "pending"
        case Retrying():
            return "retrying"
        case Succeeded():
            return "success"
        case Failed():
            return "failed"
        case Missed():
            return "missed"
        case TimedOut():
            return "outcome_timeout"
        case Cancelled():
            return "cancelled"
        case _:
            assert_never(execution)


TERMINAL = ("success", "failed", "missed", "outcome_timeout")


def outcome_state(facts: Facts) -> str | None:
    """Give the outcome's state; `unknown` after a deadline, None before either."""
    if facts.outcome is not None:
        return facts.outcome.state
    return "unknown" if facts.outcome_missed else None


def delivery_due_at(execution: Execution) -> datetime | None:
    """When the dispatcher must look at the execution again."""
    match execution:
        case Pending(facts=facts):
            worker = facts.transport is Transport.WORKER
            return execution.expires_at if worker else execution.due_at
        case Delivering() | Claimed():
            return execution.lease_until
        case Retrying():
            return execution.due_at
        case _:
            return None


def outcome_due_at(execution: Execution) -> datetime | None:
    """When the outcomes service must look: at once for a report in the answer, or at a deadline."""
    match execution:
        case Succeeded(report=None):
            return execution.outcome_deadline_at
        case Succeeded(facts=facts):
            return facts.delivered_at
        case Claimed():
            return execution.expires_at
        case _:
            return None


def row(execution: Execution) -> dict[str, Any]:
    """Project an execution onto its row: what is searched, and the whole state."""
    facts = execution.facts
    outcome = facts.outcome
    return {
        "id": facts.id,
        "account_id": facts.account_id,
        "cue_id": facts.cue_id,
        "transport": facts.transport.value,
        "status": status(execution),
        "triggered_by": facts.triggered_by,
        "scheduled_for": facts.scheduled_for,
        "created_at": facts.created_at,
        "delivery_due_at": delivery_due_at(execution),
        "outcome_due_at": outcome_due_at(execution),
        "claimable_at": _claimable_at(execution),
        "outcome_state": outcome_state(facts),
        "result_type": outcome.report.result_type if outcome else None,
        "has_evidence": bool(outcome and outcome.report.evidence),
        "worker_id": execution.worker_id if isinstance(execution, Claimed) else facts.last_worker,
        "claimed_at": facts.claimed_at,
        "task": facts.payload.task,
        "agent": facts.payload.agent,
        "state": execution,
    }


def _claimable_at(execution: Execution) -> datetime | None:
    if isinstance(execution, Pending) and execution.facts.transport is Transport.WORKER:
        return execution.due_at
    return None
