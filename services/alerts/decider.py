"""Which alerts a cue's history calls for, and what acknowledging one does. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from libs.events.alerts import AcknowledgeAlert, AcknowledgedAlert, Alert, AlertAcknowledged
from libs.events.base import Rejection, Value
from libs.events.cues import CueSettings
from libs.events.execution_states import outcome_state
from libs.events.executions import Execution
from services.alerts.rules import Verdict, failure_row, verdict


class Called(Value):
    """An alert that the history calls for; `episode` is its natural key within cue and kind."""

    kind: str
    episode: str
    execution_id: str
    facts: dict[str, Any]


def alerts_called_for(
    execution: Execution,
    settings: CueSettings,
    newest_first: Sequence[Execution],
    acknowledged: Collection[str],
) -> list[Called]:
    """Say which alerts follow from an execution that has just changed.

    `newest_first` are the cue's latest executions, `acknowledged` the episodes of consecutive
    failures that a person has seen: the next failure then begins another one.
    """
    called = []
    facts, outcome = execution.facts, execution.facts.outcome
    if outcome_state(facts) == "unknown":
        deadline = settings.delivery.outcome_deadline_seconds
        delivered = facts.delivered_at.isoformat() if facts.delivered_at else None
        told: dict[str, Any] = {"outcome_deadline_seconds": deadline, "delivered_at": delivered}
        called.append(_called("outcome_timeout", facts.id, execution, told))
    if outcome is not None and outcome.state == "verification_failed":
        told = {"mode": outcome.mode.value, "missing": outcome.reason}
        entry = f"{facts.id}:{outcome.recorded_at.isoformat()}:{outcome.rejection or ''}"
        called.append(_called("verification_failed", entry, execution, told))
    row = failure_row(newest_first)
    threshold = settings.alerts.consecutive_failures
    if verdict(execution) is Verdict.FAILURE and row is not None and row.length >= threshold:
        told = {"consecutive_failures": row.length, "threshold": threshold}
        episode = row.first_id
        if episode in acknowledged:
            episode = f"{row.first_id}:{facts.id}"
        called.append(_called("consecutive_failure", episode, execution, told))
    return called


def acknowledge(
    command: AcknowledgeAlert, alert: Alert | None, now: datetime
) -> list[AlertAcknowledged] | Rejection:
    """Acknowledge an alert; once is enough."""
    if alert is None:
        message = f"no alert {command.alert_id} in this account"
        return Rejection(code="alert_not_found", message=message)
    return [] if isinstance(alert, AcknowledgedAlert) else [AlertAcknowledged(at=now)]


def _called(kind: str, episode: str, execution: Execution, told: dict[str, Any]) -> Called:
    return Called(kind=kind, episode=episode, execution_id=execution.facts.id, facts=told)
