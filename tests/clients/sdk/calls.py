"""Every call of the SDK, with every argument that it takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cueapi import CueAPI

CUE = "cue_x7k9m2p4q8w1"
EXECUTION = "550e8400-e29b-41d4-a716-446655440000"
WHEN = datetime(2026, 3, 28, 9, tzinfo=UTC)
EVIDENCE: dict[str, Any] = {
    "external_id": "run-1",
    "result_url": "https://example.com/1",
    "result_ref": "s3://bucket/1",
    "result_type": "report",
    "summary": "done",
    "artifacts": [{"name": "report"}],
    "metadata": {"rows": 5},
}
FILTERS: dict[str, Any] = {
    "cue_id": CUE,
    "status": "success",
    "status__in": ["success", "failed"],
    "outcome_state": "reported_success",
    "triggered_by": "replay",
    "worker_id": "w",
    "result_type": "report",
    "has_evidence": True,
    "since": WHEN,
    "until": WHEN,
}
PARTS: dict[str, Any] = {
    "description": "every morning",
    "payload": {"task": "brief"},
    "retry": {"max_attempts": 5, "backoff_minutes": [1, 2]},
    "delivery": {"timeout_seconds": 10, "outcome_deadline_seconds": 60},
    "alerts": {"consecutive_failures": 2, "missed_window_multiplier": 3},
    "catch_up": "skip_missed",
    "on_failure": {"email": False, "webhook": "https://example.com/f", "pause": True},
}
URL = "https://example.com/hook"

CALLS: dict[str, Callable[[CueAPI], Any]] = {
    "cues.create": lambda c: c.cues.create(
        "a",
        cron="0 9 * * *",
        timezone="Europe/Berlin",
        callback=URL,
        callback_method="PUT",
        callback_headers={"X-A": "b"},
        verification="manual",
        **PARTS,
    ),
    "cues.create once": lambda c: c.cues.create(
        "a", at=WHEN, transport="worker", verification={"mode": "none"}
    ),
    "cues.create with a whole callback": lambda c: c.cues.create(
        "a", at="2026-03-28T09:00:00Z", callback={"url": URL, "method": "GET"}
    ),
    "cues.list": lambda c: c.cues.list(limit=5, offset=5, status="active"),
    "cues.get": lambda c: c.cues.get(CUE, as_of=WHEN, execution_limit=1, execution_offset=2),
    "cues.update": lambda c: c.cues.update(
        CUE,
        name="b",
        status="active",
        cron="0 8 * * *",
        timezone="UTC",
        callback=URL,
        callback_method="PATCH",
        callback_headers={},
        verification="none",
        if_match='"3"',
        **PARTS,
    ),
    "cues.update to the defaults": lambda c: c.cues.update(
        CUE,
        at=WHEN,
        callback_headers=None,
        verification=None,
        description=None,
        payload=None,
        retry=None,
        delivery=None,
        alerts=None,
        catch_up=None,
        on_failure=None,
    ),
    "cues.pause": lambda c: c.cues.pause(CUE),
    "cues.resume": lambda c: c.cues.resume(CUE),
    "cues.delete": lambda c: c.cues.delete(CUE, if_match='"3"'),
    "cues.bulk_delete": lambda c: c.cues.bulk_delete([CUE]),
    "cues.fire": lambda c: c.cues.fire(
        CUE,
        payload_override={"a": 1},
        merge_strategy="replace",
        send_at=WHEN,
        idempotency_key="once",
    ),
    "cues.fire plainly": lambda c: c.cues.fire(CUE),
    "cues.test": lambda c: c.cues.test(CUE),
    "cues.explain": lambda c: c.cues.explain(CUE, WHEN),
    "cues.slots": lambda c: c.cues.slots(CUE, since=WHEN, until=WHEN),
    "executions.list": lambda c: c.executions.list(limit=5, offset=5, **FILTERS),
    "executions.get": lambda c: c.executions.get(EXECUTION, as_of=WHEN),
    "executions.report_outcome": lambda c: c.executions.report_outcome(
        EXECUTION, success=False, result="r", error="e", worker_id="w", **EVIDENCE
    ),
    "executions.append_evidence": lambda c: c.executions.append_evidence(EXECUTION, **EVIDENCE),
    "executions.heartbeat": lambda c: c.executions.heartbeat(EXECUTION, worker_id="w"),
    "executions.heartbeat of nobody": lambda c: c.executions.heartbeat(EXECUTION),
    "executions.mark_verification_pending": lambda c: c.executions.mark_verification_pending(
        EXECUTION
    ),
    "executions.mark_verified": lambda c: c.executions.mark_verified(
        EXECUTION, valid=False, reason="no"
    ),
    "executions.replay": lambda c: c.executions.replay(EXECUTION),
    "executions.replay_many": lambda c: c.executions.replay_many(dry_run=True, **FILTERS),
    "executions.list_claimable": lambda c: c.executions.list_claimable(
        task="t", agent="a", limit=9
    ),
    "executions.claim": lambda c: c.executions.claim(EXECUTION, worker_id="w", lease_seconds=60),
    "executions.claim_next": lambda c: c.executions.claim_next(
        worker_id="w", task="t", tasks=["t", "u"], agent="a", lease_seconds=60, wait_seconds=20
    ),
    "executions.timeline": lambda c: c.executions.timeline(EXECUTION),
    "executions.attempts": lambda c: c.executions.attempts(EXECUTION),
    "schedules.preview": lambda c: c.schedules.preview(cron="*/5 * * * *", timezone="UTC", count=3),
    "workers.list": lambda c: c.workers.list(),
    "workers.delete": lambda c: c.workers.delete("mac/mini 1"),
    "workers.heartbeat": lambda c: c.workers.heartbeat("w", handlers=["t"]),
    "alerts.list": lambda c: c.alerts.list(
        alert_type="missed_window",
        cue_id=CUE,
        execution_id=EXECUTION,
        acknowledged=False,
        since=WHEN,
        limit=5,
        offset=5,
    ),
    "alerts.acknowledge": lambda c: c.alerts.acknowledge(EXECUTION),
    "account.register": lambda c: c.account.register("a@example.com"),
    "account.me": lambda c: c.account.me(),
    "account.update": lambda c: c.account.update(
        email="b@example.com", alert_webhook_url=None, email_notifications=False
    ),
    "keys.default": lambda c: c.keys.default(),
    "keys.regenerate": lambda c: c.keys.regenerate(),
    "keys.list": lambda c: c.keys.list(),
    "keys.create": lambda c: c.keys.create("ci"),
    "keys.rename": lambda c: c.keys.rename(EXECUTION, "cd"),
    "keys.revoke": lambda c: c.keys.revoke(EXECUTION),
    "webhook_secret.get": lambda c: c.webhook_secret.get(),
    "webhook_secret.regenerate": lambda c: c.webhook_secret.regenerate(overlap_hours=24),
    "alert_webhook_secret.get": lambda c: c.alert_webhook_secret.get(),
    "alert_webhook_secret.regenerate": lambda c: c.alert_webhook_secret.regenerate(),
    "sessions.create": lambda c: c.sessions.create("stk_1"),
    "sessions.create of the key": lambda c: c.sessions.create(),
    "sessions.refresh": lambda c: c.sessions.refresh(),
    "sessions.exchange": lambda c: c.sessions.exchange("stk_1", "claude", label="laptop"),
    "device_codes.create": lambda c: c.device_codes.create("ABCD-EFGH"),
    "device_codes.submit_email": lambda c: c.device_codes.submit_email("ABCD-EFGH", "a@b.org"),
    "device_codes.poll": lambda c: c.device_codes.poll("ABCD-EFGH"),
    "billing.checkout": lambda c: c.billing.checkout("pro", interval="annual"),
    "billing.portal": lambda c: c.billing.portal(),
    "usage.get": lambda c: c.usage.get(),
    "support.create": lambda c: c.support.create(
        subject="It does not work", message="m" * 30, severity="low", type="bug"
    ),
    "support.get": lambda c: c.support.get(14),
    "support.list": lambda c: c.support.list(ticket_status="open", limit=5, offset=5),
    "echo.get": lambda c: c.echo.get("t" * 16),
    "echo.post": lambda c: c.echo.post("t" * 16, {"any": "thing"}),
    "health.get": lambda c: c.health.get(),
    "health.status": lambda c: c.health.status(),
    "events.stream": lambda c: next(
        c.events.stream(cue_id=CUE, type="ExecutionScheduled", last_event_id="7")
    ),
}
