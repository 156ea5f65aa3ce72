"""How a cue is answered (contract §2 "Cue"): every key, effective values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from libs.events.cue_settings import (
    CueSettings,
    Schedule,
)
from libs.events.cues import (
    ActiveCue,
    Cue,
    status,
)
from libs.runtime.crypto import Keyring
from services.api.queries.cues import CueRow
from services.api.routes.outgoing import opened_headers
from services.api.routes.wire import EMPTY_OBJECT, AnyObject, Timestamp, Wire
from services.api.rules.timestamps import wire_time, wire_time_or_none, zoned_time

NO_WORKERS = (
    "No active workers: nothing will claim this cue's executions until one sends heartbeats"
)


class ScheduleWire(Wire):
    """When the cue is due; `at` in the cue's own zone."""

    type: str
    cron: str | None
    at: Timestamp | None
    timezone: str


class CallbackWire(Wire):
    """Where webhooks go; an object for workers too."""

    url: str | None
    method: str
    headers: dict[str, str]


class RetryWire(Wire):
    """Attempts in all, and the minutes between them."""

    max_attempts: int
    backoff_minutes: tuple[int, ...]


class DeliveryWire(Wire):
    """Seconds for an attempt, and for the outcome after it."""

    timeout_seconds: int
    outcome_deadline_seconds: int


class AlertRulesWire(Wire):
    """When alerts are raised."""

    consecutive_failures: int
    missed_window_multiplier: int


class VerificationWire(Wire):
    """What a reported success must be backed by."""

    mode: str


class OnFailureWire(Wire):
    """What a final failure sets off."""

    email: bool
    webhook: str | None
    pause: bool


class CueWire(Wire):
    """A cue; `next_run` in the cue's own zone."""

    id: str
    name: str
    description: str | None
    status: str
    transport: str
    schedule: ScheduleWire
    callback: CallbackWire
    payload: AnyObject
    retry: RetryWire
    delivery: DeliveryWire
    alerts: AlertRulesWire
    catch_up: str
    verification: VerificationWire
    on_failure: OnFailureWire
    next_run: Timestamp | None
    last_run: Timestamp | None
    run_count: int
    fired_count: int
    warning: str | None
    created_at: Timestamp
    updated_at: Timestamp


class CueListWire(Wire):
    """A page of cues."""

    cues: list[CueWire]
    total: int
    limit: int
    offset: int


def refs_of(cue: Cue) -> list[str | None]:
    """The blobs which `cue_fields` needs."""
    settings = cue.facts.settings
    return [settings.description_ref, settings.callback.headers_ref, settings.payload.sha256]


def cue_fields(
    row: CueRow, blobs: Mapping[str, bytes], keyring: Keyring, warning: str | None = None
) -> dict[str, Any]:
    """What `CueWire` is made of; `blobs` by their references."""
    cue = row.cue
    facts, settings = cue.facts, cue.facts.settings
    description = blobs.get(settings.description_ref or "")
    payload = blobs.get(settings.payload.sha256 or "")
    return {
        "id": facts.id,
        "name": settings.name,
        "description": msgspec.json.decode(description, type=str) if description else None,
        "status": status(cue),
        "transport": settings.transport.value,
        "schedule": _schedule(settings.schedule),
        "callback": CallbackWire(
            url=settings.callback.url,
            method=settings.callback.method,
            headers=opened_headers(
                keyring, facts.account_id, blobs.get(settings.callback.headers_ref or "")
            ),
        ),
        "payload": msgspec.Raw(payload) if payload else EMPTY_OBJECT,
        **_rules(settings),
        "next_run": zoned_time(
            cue.next_run if isinstance(cue, ActiveCue) else None, settings.schedule.timezone
        ),
        "last_run": wire_time_or_none(row.last_run),
        "run_count": row.run_count,
        "fired_count": facts.fired_count,
        "warning": warning,
        "created_at": wire_time(facts.created_at),
        "updated_at": wire_time(facts.updated_at),
    }


def _schedule(schedule: Schedule) -> ScheduleWire:
    return ScheduleWire(
        type="once" if schedule.cron is None else "recurring",
        cron=schedule.cron,
        at=zoned_time(schedule.at, schedule.timezone),
        timezone=schedule.timezone,
    )


def _rules(settings: CueSettings) -> dict[str, Any]:
    retry, delivery = settings.retry, settings.delivery
    alerts, on_failure = settings.alerts, settings.on_failure
    return {
        "retry": RetryWire(max_attempts=retry.max_attempts, backoff_minutes=retry.backoff_minutes),
        "delivery": DeliveryWire(
            timeout_seconds=delivery.timeout_seconds,
            outcome_deadline_seconds=delivery.outcome_deadline_seconds,
        ),
        "alerts": AlertRulesWire(
            consecutive_failures=alerts.consecutive_failures,
            missed_window_multiplier=alerts.missed_window_multiplier,
        ),
        "catch_up": settings.catch_up,
        "verification": VerificationWire(mode=settings.verification.value),
        "on_failure": OnFailureWire(
            email=on_failure.email, webhook=on_failure.webhook, pause=on_failure.pause
        ),
    }
