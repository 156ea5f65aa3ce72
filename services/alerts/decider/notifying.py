"""Whom to tell what, and what to do once it was tried. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeAlias

import msgspec

from libs.events.accounts import allowance
from libs.events.alerts import SEVERITY, AlertRaised, message
from libs.events.base import Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.executions import Execution, Missed
from services.alerts.rules.pace import wait_after

Channel: TypeAlias = Literal["email", "webhook", "alert_webhook"]
"""The account's address, the cue's `on_failure.webhook`, the account's `alert_webhook_url`."""

Kind: TypeAlias = Literal["alert", "failure", "worker", "grace", "digest"]
"""An alert, a final failure, a silent worker, a month used up; what was held of these."""

UNCOUNTED: Collection[Kind] = ("grace", "digest")
"""Mails of these kinds go out whatever the hour has seen."""

MOST_OF_ERROR = 500
GRACE = timedelta(hours=24)


class Notification(Value):
    """One thing to tell through one channel; subject and channel together are its key.

    `content` is what a webhook gets, and what a mail is written from. `tries` counts those begun.
    """

    subject: str
    channel: Channel
    kind: Kind
    account_id: str
    content: dict[str, Any]
    cue_id: str | None = None
    execution_id: str | None = None
    alert_id: str | None = None
    tries: int = 0
    mailed_at: datetime | None = None


class Target(Value):
    """Where an account wants to be told."""

    email: str
    email_notifications: bool
    alert_webhook_url: str | None = None


class Told(Value):
    """How a try ended: `status` is sent, failed, or waiting for the next one at `due_at`."""

    status: Literal["sent", "failed", "waiting"]
    due_at: datetime | None = None
    error: str | None = None


def of_alert(
    event: AlertRaised, settings: CueSettings, target: Target | None
) -> list[Notification]:
    """Say through which channels an alert is told."""
    content = {
        "event": "alert.created",
        "alert_id": event.alert_id,
        "alert_type": event.kind,
        "severity": SEVERITY,
        "message": message(event.kind, settings.name, event.facts),
        "cue_id": event.cue_id,
        "cue_name": settings.name,
        "execution_id": event.execution_id,
        "created_at": msgspec.to_builtins(event.at),
        "metadata": event.facts,
    }
    channels = _of_cue(settings)
    if target is not None and target.alert_webhook_url:
        channels.append("alert_webhook")
    return [
        Notification(
            subject=f"alert:{event.alert_id}",
            channel=channel,
            kind="alert",
            account_id=event.account_id,
            content=content,
            cue_id=event.cue_id,
            execution_id=event.execution_id,
            alert_id=event.alert_id,
        )
        for channel in channels
    ]


def of_failure(
    execution: Execution, settings: CueSettings, error: str | None, failed_at: datetime, link: str
) -> list[Notification]:
    """Say through which channels a final failure is told; `error` is the agent's own, if any."""
    facts = execution.facts
    if error is None:
        error = "no worker claimed it in time" if isinstance(execution, Missed) else None
    last_error = error or facts.error_message
    content = {
        "event": "cue.failed",
        "cue_id": facts.cue_id,
        "cue_name": settings.name,
        "execution_id": facts.id,
        "attempts": facts.attempts,
        "last_http_status": facts.http_status,
        "last_error": last_error[:MOST_OF_ERROR] if last_error else None,
        "failed_at": msgspec.to_builtins(failed_at),
        "dashboard_url": link,
    }
    return [
        Notification(
            subject=f"failure:{facts.id}",
            channel=channel,
            kind="failure",
            account_id=facts.account_id,
            content=content,
            cue_id=facts.cue_id,
            execution_id=facts.id,
        )
        for channel in _of_cue(settings)
    ]


def of_silence(account_id: str, worker_id: str, last_heartbeat_at: datetime) -> Notification:
    """Tell of a worker that is offline; once for each silence."""
    since = msgspec.to_builtins(last_heartbeat_at)
    content = {"event": "worker.offline", "worker_id": worker_id, "last_heartbeat_at": since}
    return Notification(
        subject=f"worker:{account_id}:{worker_id}:{since}",
        channel="email",
        kind="worker",
        account_id=account_id,
        content=content,
    )


def of_grace(
    account_id: str,
    plan: str,
    limits: Mapping[str, int] | None,
    period: date,
    started_at: datetime,
) -> Notification:
    """Tell that a month's executions are used up, and how long they go on (contract §10)."""
    content = {
        "event": "grace.started",
        "plan": plan,
        "limit": allowance(plan, limits).executions_per_month,
        "grace_ends_at": msgspec.to_builtins(started_at + GRACE),
    }
    return Notification(
        subject=f"grace:{account_id}:{period}",
        channel="email",
        kind="grace",
        account_id=account_id,
        content=content,
    )


def destination(
    notification: Notification, target: Target | None, settings: CueSettings | None
) -> str | None:
    """Where it goes as things are now; None if it is wanted no longer, or its cue is gone."""
    if target is None or (settings is None and notification.cue_id is not None):
        return None
    match notification.channel:
        case "email":
            wanted = target.email_notifications or notification.kind == "grace"
            if settings is not None:
                wanted = wanted and settings.on_failure.email
            return target.email if wanted else None
        case "webhook":
            return settings.on_failure.webhook if settings is not None else None
        case "alert_webhook":
            return target.alert_webhook_url or None


def counts(notification: Notification) -> bool:
    """Whether it is a mail that takes one of its account's places in the hour."""
    return notification.channel == "email" and notification.kind not in UNCOUNTED


def after_try(tries: int, error: str | None, now: datetime) -> Told:
    """Say what becomes of it after a try that ended with `error`, or well."""
    if error is None:
        return Told(status="sent")
    wait = wait_after(tries)
    if wait is None:
        return Told(status="failed", error=error)
    return Told(status="waiting", due_at=now + wait, error=error)


def _of_cue(settings: CueSettings) -> list[Channel]:
    channels: list[Channel] = []
    if settings.on_failure.email:
        channels.append("email")
    if settings.on_failure.webhook:
        channels.append("webhook")
    return channels
