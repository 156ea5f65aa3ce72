"""Which alerts a cue's history calls for, and which of them are news. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from libs.events.alerts import AlertRaised
from libs.events.base import Transport, Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.executions import Execution
from services.alerts.rules.failures import FailureRow

WORKER_DEADLINE_SECONDS = 24 * 3_600
ROW = "consecutive_failure"
QUIET = timedelta(minutes=5)
"""Of one kind, an execution (or a cue's windows) has no second alert within this time."""


class Called(Value):
    """An alert that the history calls for; `episode` is its natural key within cue and kind."""

    kind: str
    episode: str
    facts: dict[str, Any]
    execution_id: str | None = None


class PastAlert(Value):
    """An alert that was raised before."""

    kind: str
    episode: str
    created_at: datetime
    execution_id: str | None = None
    acknowledged_at: datetime | None = None


class Rejected(Value):
    """One entry into `verification_failed`: its event's version, and the evidence it missed."""

    version: int
    missing: str | None = None


def alerts_called_for(
    execution: Execution,
    settings: CueSettings,
    row: FailureRow,
    known: Sequence[PastAlert],
    told_at: datetime,
    rejections: Iterable[Rejected] = (),
) -> list[Called]:
    """Say which alerts follow from an execution that has changed, as an event of `told_at` says.

    `row` is the row of failures that it belongs to, `known` the cue's latest alerts about rows,
    newest first, `rejections` the entries into `verification_failed` that are told now: each calls
    for an alert, whatever has become of the outcome since.
    """
    called = []
    if execution.facts.outcome_missed:
        told = _silence(execution, settings)
        called.append(_called("outcome_timeout", execution.facts.id, execution, told))
    for entry in rejections:
        assert execution.facts.outcome is not None, "a rejected outcome was reported"
        told = {"mode": execution.facts.outcome.mode.value, "missing": entry.missing}
        episode = f"{execution.facts.id}:{entry.version}"
        called.append(_called("verification_failed", episode, execution, told))
    if execution.facts.id in row.ids:
        threshold = settings.alerts.consecutive_failures
        called += _row_alert(execution.facts.id, row, threshold, known, told_at)
    return called


def needs_a_longer_look(
    execution_id: str,
    row: FailureRow,
    threshold: int,
    known: Sequence[PastAlert],
    told_at: datetime,
) -> bool:
    """Whether more of the cue's past could change what is told about the row."""
    if row.whole:
        return False
    called = _row_alert(execution_id, row, threshold, known, told_at)
    return len(row.ids) < threshold or bool(called)


def is_news(called: Called, past: Iterable[PastAlert], now: datetime) -> bool:
    """Whether the alert was not raised yet, nor one of its kind for its execution just now."""
    return not any(
        alert.episode == called.episode
        or (alert.execution_id == called.execution_id and now - alert.created_at < QUIET)
        for alert in past
        if alert.kind == called.kind
    )


def past_alert(event: AlertRaised) -> PastAlert:
    """Give an alert that was raised now as the next decision sees it."""
    return PastAlert(
        kind=event.kind,
        episode=event.episode,
        created_at=event.at,
        execution_id=event.execution_id,
    )


def _row_alert(
    execution_id: str,
    row: FailureRow,
    threshold: int,
    known: Sequence[PastAlert],
    told_at: datetime,
) -> list[Called]:
    """Alert about a row that is long enough; again on the next failure after that was seen.

    An alert is about this row if its first failure is still in it. A row without a start in sight
    counts as the one of the latest alert: had it begun since, it would have raised its own.
    """
    if len(row.ids) < threshold:
        return []
    told = {"consecutive_failures": len(row.ids), "threshold": threshold}
    about = [alert for alert in known if _first(alert) in row.ids or not row.whole]
    if not about:
        newest, first = row.ids[0], row.ids[-1]
        return [Called(kind=ROW, episode=first, execution_id=newest, facts=told)]
    latest = about[0]
    seen_at = latest.acknowledged_at
    if seen_at is None or told_at <= seen_at or latest.execution_id == execution_id:
        return []
    number = int(latest.episode.partition(":")[2] or 1) + 1
    episode = f"{_first(latest)}:{number}"
    return [Called(kind=ROW, episode=episode, execution_id=execution_id, facts=told)]


def _first(alert: PastAlert) -> str:
    return alert.episode.partition(":")[0]


def _called(kind: str, episode: str, execution: Execution, told: dict[str, Any]) -> Called:
    return Called(kind=kind, episode=episode, execution_id=execution.facts.id, facts=told)


def _silence(execution: Execution, settings: CueSettings) -> dict[str, Any]:
    seconds = settings.delivery.outcome_deadline_seconds
    if execution.facts.transport is Transport.WORKER:
        seconds = WORKER_DEADLINE_SECONDS
    delivered_at = msgspec.to_builtins(execution.facts.delivered_at)
    return {"outcome_deadline_seconds": seconds, "delivered_at": delivered_at}
