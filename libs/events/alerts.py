"""The alert: something about a cue went wrong, told once per episode (contract §9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias, assert_never

import msgspec

from libs.events.base import Command, Event, Value
from libs.events.executions import Execution, Failed, Missed

CATEGORY = "alert"
SEVERITY = "warning"


class AcknowledgeAlert(Command):
    """A person has seen the alert."""

    alert_id: str


class AlertRaised(Event):
    """An episode began. `episode` is its natural key: no second alert is raised for it."""

    alert_id: str
    account_id: str
    cue_id: str
    kind: str
    episode: str
    execution_id: str | None = None
    facts: dict[str, Any] = msgspec.field(default_factory=dict)


class AlertAcknowledged(Event):
    """A person has seen it."""


class NotificationSent(Event):
    """One channel was told."""

    channel: str


class NotificationFailed(Event):
    """One channel could not be told, and no try is left."""

    channel: str
    error: str


AlertCommand: TypeAlias = AcknowledgeAlert
AlertEvent: TypeAlias = AlertRaised | AlertAcknowledged | NotificationSent | NotificationFailed


class AlertFacts(Value):
    """What the alert says."""

    id: str
    account_id: str
    cue_id: str
    kind: str
    episode: str
    created_at: datetime
    execution_id: str | None = None
    facts: dict[str, Any] = msgspec.field(default_factory=dict)


class OpenAlert(Value, tag_field="stage", tag="open"):
    """Nobody has acknowledged it."""

    facts: AlertFacts


class AcknowledgedAlert(Value, tag_field="stage", tag="acknowledged"):
    """Seen."""

    facts: AlertFacts
    acknowledged_at: datetime


Alert: TypeAlias = OpenAlert | AcknowledgedAlert


def evolve(state: Alert | None, event: AlertEvent) -> Alert:
    """Fold one event into the alert's state."""
    if isinstance(event, AlertRaised):
        facts = AlertFacts(
            id=event.alert_id,
            account_id=event.account_id,
            cue_id=event.cue_id,
            kind=event.kind,
            episode=event.episode,
            created_at=event.at,
            execution_id=event.execution_id,
            facts=event.facts,
        )
        return OpenAlert(facts=facts)
    assert state is not None, f"{type(event).__name__} before AlertRaised"
    match event:
        case AlertAcknowledged():
            return AcknowledgedAlert(facts=state.facts, acknowledged_at=event.at)
        case NotificationSent() | NotificationFailed():
            return state
        case _:
            assert_never(event)


def is_final_failure(execution: Execution) -> bool:
    """Whether a cue's `on_failure` applies (contract §9).

    It does to what failed, but not by a limit; to what no worker took; and to a reported failure.
    """
    if execution.facts.outcome is not None:
        return not execution.facts.outcome.report.success
    return isinstance(execution, Missed) or (
        isinstance(execution, Failed) and not execution.blocked
    )


def message(kind: str, cue_name: str, facts: Mapping[str, Any]) -> str:
    """Tell an alert in a sentence, for people."""
    match kind:
        case "consecutive_failure":
            failures = facts.get("consecutive_failures")
            return f"{cue_name} failed" + ("" if failures == 1 else f" {failures} times in a row")
        case "missed_window":
            return f"{cue_name} has not succeeded since it was due at {facts.get('expected_by')}"
        case "outcome_timeout":
            taken = "was delivered" if facts.get("delivered_at") else "was taken by a worker"
            seconds = facts.get("outcome_deadline_seconds")
            return f"{cue_name} {taken}, but reported no outcome within {seconds} seconds"
        case "verification_failed":
            missing = facts.get("missing")
            return f"{cue_name} reported success that is not verified" + (
                f": {missing} is missing" if missing else ""
            )
        case _:
            return f"{cue_name}: {kind}"


def row(alert: Alert) -> dict[str, Any]:
    """Project an alert onto its row."""
    facts = alert.facts
    return {
        "id": facts.id,
        "account_id": facts.account_id,
        "cue_id": facts.cue_id,
        "kind": facts.kind,
        "episode": facts.episode,
        "execution_id": facts.execution_id,
        "acknowledged_at": alert.acknowledged_at if isinstance(alert, AcknowledgedAlert) else None,
        "created_at": facts.created_at,
        "state": alert,
    }
