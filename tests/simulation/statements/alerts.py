"""The alerts service's reads in Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from libs.events.alerts import AcknowledgedAlert
from libs.events.envelope import encode
from libs.events.execution_events import VerificationFailed
from libs.events.execution_rows import (
    outcome_state,
)
from services.alerts import queries
from tests.simulation.statements.rows import living
from tests.simulation.store import StoreUnit, Twin

SUCCESSES = ("reported_success", "verified_success", "verification_pending")
OVERLAP = 20
"""Transactions may commit in another order than they began: look so much further back."""


async def changed(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for key in params[0]:
        execution = unit.store.state("execution", key)
        if execution is not None and living(unit, execution.facts.cue_id):
            order = (execution.facts.created_at, key)
            texts = (
                unit.store.text("execution", key),
                unit.store.text("cue", execution.facts.cue_id),
            )
            found.append((order, texts))
    return [texts for _, texts in sorted(found)]


def _latest(unit: StoreUnit, cue_id: str, limit: int) -> list[Any]:
    """Give a cue's latest executions, newest first."""
    keys = unit.store.members.get(("execution", cue_id), [])[-(limit + OVERLAP) :]
    found = [unit.store.state("execution", key).facts for key in keys]
    return sorted(found, key=lambda facts: (facts.created_at, facts.id), reverse=True)[:limit]


async def history(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for cue_id, sought in zip(params["cues"], params["sought"], strict=True):
        found += _latest(unit, cue_id, sought)
    found.sort(key=lambda facts: (facts.created_at, facts.id), reverse=True)
    return [(unit.store.text("execution", facts.id),) for facts in found]


async def lock_cues(unit: StoreUnit, params: Any) -> list[Any]:
    for cue_id in sorted(params[0]):
        await unit.acquire(("advisory 13", cue_id))
    return []


async def latest_alerts(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for cue_id in params["cues"]:
        keys = unit.store.members.get(("alert", cue_id), [])
        of_kind = [
            alert
            for key in keys
            if (alert := unit.store.state("alert", key)).facts.kind == params["kind"]
        ]
        of_kind.sort(key=lambda alert: (alert.facts.created_at, alert.facts.id), reverse=True)
        found += [(cue_id, *_past(alert)) for alert in of_kind[: params["limit"]]]
    return sorted(found, key=lambda row: row[3], reverse=True)


def _past(alert: Any) -> tuple[Any, ...]:
    facts = alert.facts
    seen = alert.acknowledged_at if isinstance(alert, AcknowledgedAlert) else None
    return facts.kind, facts.episode, facts.created_at, facts.execution_id, seen


async def alerts_of_executions(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for key in params[0]:
        cue_id = unit.store.state("execution", key).facts.cue_id
        alerts = [
            unit.store.state("alert", alert_id)
            for alert_id in unit.store.members.get(("alert", cue_id), ())
        ]
        found += [_past(alert) for alert in alerts if alert.facts.execution_id == key]
    return found


async def rejections(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for wanted in json.loads(params[0]):
        for item in unit.store.histories.get(wanted["stream_id"], ()):
            same = item.version == wanted["version"]
            if same and isinstance(item.event, VerificationFailed):
                found.append((item.stream_id, item.version, encode(item.event).decode()))
    return found


async def cues(unit: StoreUnit, params: Any) -> list[Any]:
    known = [key for key in params[0] if unit.store.state("cue", key) is not None]
    return [(key, unit.store.text("cue", key)) for key in known]


async def successes(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for cue_id in params["cues"]:
        latest = _latest(unit, cue_id, params["limit"])
        ends = [at for facts in latest if (at := _succeeded_at(facts)) is not None]
        full = len(latest) == params["limit"]
        since = min((facts.created_at for facts in latest), default=None) if full else None
        found.append((cue_id, max(ends, default=None), since))
    return found


def _succeeded_at(facts: Any) -> datetime | None:
    state = outcome_state(facts)
    if state in SUCCESSES:
        recorded: datetime = facts.outcome.recorded_at
        return recorded
    delivered: datetime | None = facts.delivered_at
    return delivered if state in (None, "unknown") else None


async def targets(unit: StoreUnit, params: Any) -> list[Any]:
    rows = [(key, unit.table("identities").get(key)) for key in params[0]]
    return [
        (key, row["email"], row["email_notifications"], row["alert_webhook_url"])
        for key, row in rows
    ]


async def graces(unit: StoreUnit, _: Any) -> list[Any]:
    told = {subject for (subject, _), _ in unit.table("notifications").items()}
    return [
        (account, unit.store.state("account", account).plan, None, period, used.grace_started_at)
        for (account, period), used in unit.store.usage.items()
        if used.grace_started_at is not None
        and used.grace_started_at > unit.now - timedelta(days=1)
        and f"grace:{account}:{period}" not in told
    ]


async def silent_workers(unit: StoreUnit, params: Any) -> list[Any]:
    hour_ago = unit.now - timedelta(hours=1)
    told = {
        (row["account_id"], row["content"]["worker_id"])
        for _, row in unit.table("notifications").items()
        if row["kind"] == "worker" and row["created_at"] > hour_ago
    }
    return [
        (*key, row["last_heartbeat_at"])
        for key, row in unit.table("workers").items()
        if hour_ago <= row["last_heartbeat_at"] <= unit.now - params["silence"] and key not in told
    ]


TWINS: Mapping[str, Twin] = {
    queries._CHANGED: changed,
    queries._HISTORY: history,
    queries._LOCK_CUES: lock_cues,
    queries._LATEST_ALERTS: latest_alerts,
    queries._ALERTS_OF_EXECUTIONS: alerts_of_executions,
    queries._REJECTIONS: rejections,
    queries._CUES: cues,
    queries._SUCCESSES: successes,
    queries._TARGETS: targets,
    queries._GRACES: graces,
    queries._SILENT_WORKERS: silent_workers,
}
