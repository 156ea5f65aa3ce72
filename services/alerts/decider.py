"""Which alerts a cue's history calls for, and what acknowledging one does. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec

from libs.events.alerts import AcknowledgeAlert, AcknowledgedAlert, Alert, AlertAcknowledged
from libs.events.base import Rejection, Transport, Value
from libs.events.cues import CueSettings
from libs.events.executions import Execution, Outcome
from services.alerts.rules import episode_of, failure_row

WORKER_DEADLINE_SECONDS = 24 * 3_600


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
    if execution.facts.outcome_missed:
        told = _silence(execution, settings)
        called.append(_called("outcome_timeout", execution.facts.id, execution, told))
    outcome = execution.facts.outcome
    if outcome is not None and outcome.state == "verification_failed":
        told = {"mode": outcome.mode.value, "missing": _missing(outcome)}
        episode = f"{execution.facts.id}:{_missing(outcome)}:{outcome.rejection}"
        called.append(_called("verification_failed", episode, execution, told))
    row, threshold = failure_row(newest_first), settings.alerts.consecutive_failures
    if execution.facts.id in row and len(row) >= threshold:
        told = {"consecutive_failures": len(row), "threshold": threshold}
        episode = episode_of(row, acknowledged)
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


def _silence(execution: Execution, settings: CueSettings) -> dict[str, Any]:
    seconds = settings.delivery.outcome_deadline_seconds
    if execution.facts.transport is Transport.WORKER:
        seconds = WORKER_DEADLINE_SECONDS
    delivered_at = msgspec.to_builtins(execution.facts.delivered_at)
    return {"outcome_deadline_seconds": seconds, "delivered_at": delivered_at}


def _missing(outcome: Outcome) -> str | None:
    """Name the evidence for want of which the policy failed it; None when a person did."""
    by_policy = outcome.reason is not None and outcome.rejection is None
    return outcome.mode.value.removeprefix("require_") if by_policy else None
