"""From what a client sent to what the scheduler is asked for: settings, and changes to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import asdict

from libs.events import cue_settings
from libs.events.base import Reference, Transport, VerificationMode
from libs.events.cue_settings import (
    CueSettings,
    Schedule,
)
from libs.schedules.cron import MAX_LENGTH
from libs.schedules.occurrences import instant_of
from libs.schedules.zones import UnknownZone, canonical_zone, zone
from services.api.errors import ApiError, Detail, ShapeError
from services.api.routes.cue_models import CreateCueBody, NewCallback, NewSchedule, UpdateCueBody

_SHORT_FORM = ("cron", "at", "timezone", "callback_url", "worker")
_FULL_FORM = ("schedule", "callback", "transport")


class Wanted(NamedTuple):
    """A cue to create, whichever form it was sent in."""

    schedule: NewSchedule
    callback: NewCallback
    transport: Transport


class Stored(NamedTuple):
    """What lies in blobs instead of in the settings."""

    description_ref: str | None
    headers_ref: str | None
    payload: Reference


def wanted(body: CreateCueBody) -> Wanted:
    """Read the short form (nr 1) as the full one. Raises ShapeError."""
    short = [name for name in _SHORT_FORM if getattr(body, name) is not None]
    full = [name for name in _FULL_FORM if getattr(body, name) is not None]
    if short and full:
        message = f"belongs to the short form and can't be sent with {', '.join(full)}"
        raise ShapeError([Detail(f"body.{name}", message) for name in short])
    if body.schedule is not None:
        form = Wanted(
            body.schedule,
            body.callback or NewCallback(),
            Transport(body.transport or Transport.WEBHOOK),
        )
    else:
        form = _long_form(body)
    if form.transport is Transport.WEBHOOK and form.callback.url is None:
        raise ShapeError([Detail("body.callback.url", "is required for the webhook transport")])
    return form


def _long_form(body: CreateCueBody) -> Wanted:
    if body.cron is None and body.at is None:
        message = "send schedule, or one of cron and at of the short form"
        raise ShapeError([Detail("body.schedule", message)])
    if body.cron is not None and body.at is not None:
        raise ShapeError([Detail("body.at", "send either cron or at")])
    return Wanted(
        # Every field has been validated where it was sent.
        NewSchedule.model_construct(
            type="recurring" if body.cron is not None else "once",
            cron=body.cron,
            at=body.at,
            timezone="UTC" if body.timezone is None else body.timezone,
        ),
        NewCallback(url=body.callback_url),
        Transport.WORKER if body.worker else Transport.WEBHOOK,
    )


def schedule_of(kind: str, cron: str | None, at: datetime | None, zone_name: str) -> Schedule:
    """Check what needs no clock: the type, its own field and nothing else, the zone (§5).

    A naive `at` is read in the zone. Raises ApiError.
    """
    match kind, cron, at:
        case "recurring", None, _:
            problem = "a recurring schedule needs cron"
        case "recurring", str(), datetime():
            problem = "a recurring schedule has no at"
        case "once", _, None:
            problem = "a once schedule needs at"
        case "once", str(), datetime():
            problem = "a once schedule has no cron"
        case (("recurring" | "once"), _, _):
            problem = "the cron expression is too long" if len(cron or "") > MAX_LENGTH else ""
        case _:
            problem = "the type must be recurring or once"
    if problem:
        raise ApiError("invalid_schedule", problem)
    name = known_zone(zone_name)
    if at is not None and at.tzinfo is None:
        at = instant_of(at, zone(name))
    return Schedule(cron=cron, at=at, timezone=name)


def known_zone(name: str) -> str:
    """Give the zone's own spelling. Raises ApiError."""
    try:
        return canonical_zone(name)
    except UnknownZone as error:
        raise ApiError("invalid_timezone", str(error)) from error


def settings_of(
    body: CreateCueBody, form: Wanted, schedule: Schedule, stored: Stored, timeout_seconds: int
) -> CueSettings:
    """Fill in the defaults; `timeout_seconds` is the operator's for one attempt."""
    default_delivery = cue_settings.Delivery(timeout_seconds=timeout_seconds)
    return CueSettings(
        name=body.name,
        schedule=schedule,
        transport=form.transport,
        description_ref=stored.description_ref,
        callback=cue_settings.Callback(
            url=form.callback.url, method=form.callback.method, headers_ref=stored.headers_ref
        ),
        payload=stored.payload,
        retry=_filled(cue_settings.Retry(), _sent(body.retry)),
        delivery=_filled(default_delivery, _sent(body.delivery)),
        alerts=_filled(cue_settings.AlertRules(), _sent(body.alerts)),
        catch_up=body.catch_up or "run_once_if_missed",
        verification=VerificationMode(body.verification.mode or VerificationMode.NONE),
        on_failure=_filled(cue_settings.OnFailure(), _sent(body.on_failure)),
    )


def changes_of(body: UpdateCueBody, timeout_seconds: int) -> dict[str, Any]:
    """The changes that need nothing from outside; `null` is turned into the default (nr 4).

    Left to the caller: schedule, description, payload and the callback's headers.
    """
    sent = body.model_fields_set
    defaults: dict[str, Any] = {
        "retry": asdict(cue_settings.Retry()),
        "delivery": asdict(cue_settings.Delivery(timeout_seconds=timeout_seconds)),
        "alerts": asdict(cue_settings.AlertRules()),
        "on_failure": asdict(cue_settings.OnFailure()),
    }
    changes: dict[str, Any] = {}
    if "name" in sent:
        changes["name"] = body.name
    if "catch_up" in sent:
        changes["catch_up"] = body.catch_up or "run_once_if_missed"
    if "verification" in sent and body.verification is None:
        changes["verification"] = VerificationMode.NONE.value
    elif body.verification is not None and "mode" in body.verification.model_fields_set:
        changes["verification"] = body.verification.mode
    for name, default in defaults.items():
        if name in sent:
            part = getattr(body, name)
            changes[name] = default if part is None else _sent(part)
    callback = body.callback.model_dump(include={"url", "method"}, exclude_unset=True)
    if callback:
        changes["callback"] = callback
    return changes


def _sent(part: Any) -> dict[str, Any]:
    return dict(part.model_dump(exclude_unset=True, exclude_none=isinstance(part, NewSchedule)))


def _filled(default: Any, sent: dict[str, Any]) -> Any:
    fields = {**asdict(default), **sent}
    if "backoff_minutes" in fields:
        fields["backoff_minutes"] = tuple(fields["backoff_minutes"])
    return type(default)(**fields)
