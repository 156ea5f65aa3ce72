"""What a user declares of a cue (contract §2 nr 1)."""

from __future__ import annotations

from datetime import datetime

from libs.events.base import Reference, Transport, Value, VerificationMode


class Schedule(Value):
    """When a cue is due: `cron` (recurring) or `at` (once, UTC), in an IANA zone."""

    cron: str | None = None
    at: datetime | None = None
    timezone: str = "UTC"


class Callback(Value):
    """Where a webhook goes. Header values are secrets: they lie encrypted in `blobs`."""

    url: str | None = None
    method: str = "POST"
    headers_ref: str | None = None


class Retry(Value):
    """Attempts in all, and the minutes to wait after each failed one."""

    max_attempts: int = 3
    backoff_minutes: tuple[int, ...] = (1, 5, 15)


class Delivery(Value):
    """Seconds for one attempt, and for the outcome after the ACK."""

    timeout_seconds: int = 30
    outcome_deadline_seconds: int = 300


class AlertRules(Value):
    """When to raise `consecutive_failure` and `missed_window` (contract §9)."""

    consecutive_failures: int = 3
    missed_window_multiplier: int = 2


class OnFailure(Value):
    """What a final failure sets off."""

    email: bool = True
    webhook: str | None = None
    pause: bool = False


class CueSettings(Value):
    """All that a user chose for a cue; effective values, defaults filled in."""

    name: str
    schedule: Schedule
    transport: Transport = Transport.WEBHOOK
    description_ref: str | None = None
    callback: Callback = Callback()
    payload: Reference = Reference()
    retry: Retry = Retry()
    delivery: Delivery = Delivery()
    alerts: AlertRules = AlertRules()
    catch_up: str = "run_once_if_missed"
    verification: VerificationMode = VerificationMode.NONE
    on_failure: OnFailure = OnFailure()
