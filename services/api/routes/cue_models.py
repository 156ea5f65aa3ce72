"""What a client sends about a cue: to create it (nr 1), to change it (nr 4), to fire it (nr 6)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from services.api.routes.shapes import (
    INTEGRAL,
    Changes,
    FutureInstant,
    Instant,
    Moment,
    PageLimit,
    PageOffset,
    Query,
    Wish,
    misplaced,
    trimmed,
)

Name = Annotated[str, trimmed(255)]
Description = Annotated[str, StringConstraints(max_length=5_000)]
Method = Literal["POST", "PUT", "PATCH", "GET"]
Headers = Annotated[dict[str, str], Field(max_length=20)]
Minutes = Annotated[int, Field(ge=0, le=1_440), INTEGRAL]
BackoffMinutes = Annotated[list[Minutes], Field(min_length=1, max_length=10)]
Attempts = Annotated[int, Field(ge=1, le=10), INTEGRAL]
Seconds = Annotated[int, Field(ge=1, le=3_600), INTEGRAL]
Failures = Annotated[int, Field(ge=1, le=100), INTEGRAL]
Multiplier = Annotated[int, Field(ge=1, le=10), INTEGRAL]
CatchUp = Annotated[
    Literal["skip_missed", "run_once_if_missed", "replay_all_missed", "replay_all"],
    AfterValidator(lambda policy: "replay_all_missed" if policy == "replay_all" else policy),
]
Mode = Literal["none", "require_external_id", "require_result_url", "require_artifacts", "manual"]
FreeObject = dict[str, Any]
FixedTransport = Annotated[Any, misplaced("a cue's transport is fixed; create another cue")]
TopLevelTransport = Annotated[Any, misplaced("transport is top-level")]


class NewSchedule(Wish):
    """When the cue is due: `cron` for `recurring`, `at` for `once`."""

    type: str
    cron: str | None = None
    at: Moment | None = None
    timezone: str = "UTC"


class NewCallback(Wish):
    """Where a webhook goes."""

    url: str | None = None
    method: Method = "POST"
    headers: Headers = Field(default_factory=dict)
    transport: SkipJsonSchema[TopLevelTransport] = None


class NewRetry(Wish):
    """Attempts in all, and the minutes between them."""

    max_attempts: Attempts | None = None
    backoff_minutes: BackoffMinutes | None = None


class NewDelivery(Wish):
    """Seconds for an attempt, and for the outcome after it."""

    timeout_seconds: Seconds | None = None
    outcome_deadline_seconds: Seconds | None = None


class NewAlertRules(Wish):
    """When to raise alerts."""

    consecutive_failures: Failures | None = None
    missed_window_multiplier: Multiplier | None = None


class NewVerification(Wish):
    """What a reported success must be backed by."""

    mode: Mode | None = None


class NewOnFailure(Wish):
    """What a final failure sets off."""

    email: bool | None = None
    webhook: str | None = None
    pause: bool | None = None


class CreateCueBody(Wish):
    """A cue to create. The short form has `cron` or `at` at the top instead of `schedule`."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [by]} for by in ("schedule", "cron", "at")]}
    )
    free: ClassVar[frozenset[str]] = frozenset({"payload"})

    name: Name
    description: Description | None = None
    schedule: NewSchedule | None = None
    transport: Literal["webhook", "worker"] | None = None
    callback: NewCallback | None = None
    payload: FreeObject = Field(default_factory=dict)
    retry: NewRetry = NewRetry()
    delivery: NewDelivery = NewDelivery()
    alerts: NewAlertRules = NewAlertRules()
    catch_up: CatchUp | None = None
    verification: NewVerification = NewVerification()
    on_failure: NewOnFailure = NewOnFailure()
    cron: str | None = None
    at: Moment | None = None
    timezone: str | None = None
    callback_url: str | None = None
    worker: bool | None = None


class ChangedSchedule(Changes):
    """A new schedule; its zone stays unless it is given."""

    type: str
    cron: str | None = None
    at: Moment | None = None
    timezone: str = ""


class ChangedCallback(Changes):
    """Fields of the callback to change."""

    url: str = ""
    method: Method = "POST"
    headers: Headers | None = None
    transport: SkipJsonSchema[TopLevelTransport] = None


class ChangedRetry(Changes):
    """Fields of the retry rule to change."""

    max_attempts: Attempts = 1
    backoff_minutes: BackoffMinutes = Field(default_factory=list)


class ChangedDelivery(Changes):
    """Fields of the delivery rule to change."""

    timeout_seconds: Seconds = 1
    outcome_deadline_seconds: Seconds = 1


class ChangedAlertRules(Changes):
    """Fields of the alert rules to change."""

    consecutive_failures: Failures = 1
    missed_window_multiplier: Multiplier = 1


class ChangedVerification(Changes):
    """The verification mode to change to."""

    mode: Mode = "none"


class ChangedOnFailure(Changes):
    """Fields of the failure rule to change."""

    email: bool = True
    webhook: str | None = None
    pause: bool = False


class UpdateCueBody(Changes):
    """Changes to a cue: absent is unchanged, `null` is the default again where that is allowed."""

    free: ClassVar[frozenset[str]] = frozenset({"payload"})

    name: Name = ""
    description: Description | None = None
    transport: SkipJsonSchema[FixedTransport] = None
    status: Literal["active", "paused"] = "active"
    schedule: ChangedSchedule = ChangedSchedule(type="")
    callback: ChangedCallback = ChangedCallback()
    payload: FreeObject | None = None
    retry: ChangedRetry | None = None
    delivery: ChangedDelivery | None = None
    alerts: ChangedAlertRules | None = None
    catch_up: CatchUp | None = None
    verification: ChangedVerification | None = None
    on_failure: ChangedOnFailure | None = None


class FireCueBody(Wish):
    """How to fire: with which payload, when, and once for which key."""

    free: ClassVar[frozenset[str]] = frozenset({"payload_override"})

    payload_override: FreeObject | None = None
    merge_strategy: Literal["merge", "replace"] = "merge"
    send_at: FutureInstant | None = None
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None


class ListCuesQuery(Query):
    """Which cues to list."""

    status: str | None = None
    limit: PageLimit = 50
    offset: PageOffset = 0


class CueQuery(Query):
    """Which of the cue's executions to show with it; and at which instant, now if absent."""

    as_of: Instant | None = None
    execution_limit: PageLimit = 10
    execution_offset: PageOffset = 0
