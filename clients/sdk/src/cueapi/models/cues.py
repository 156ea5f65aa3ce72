"""Cues, and what can be asked about their schedule's past."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from cueapi.models.executions import Execution
from cueapi.models.model import Model
from cueapi.models.page import Page


class Schedule(Model):
    """When a cue is due: `cron` if `type` is "recurring", `at` if it is "once"."""

    type: str
    cron: str | None
    at: datetime | None
    timezone: str


class Callback(Model):
    """Where a webhook cue calls; `url` is None for worker cues."""

    url: str | None
    method: str
    headers: dict[str, str]


class Retry(Model):
    """How many attempts there are in all, and the minutes between them."""

    max_attempts: int
    backoff_minutes: list[int]


class Delivery(Model):
    """How many seconds an attempt and the outcome after it may take."""

    timeout_seconds: int
    outcome_deadline_seconds: int


class AlertRules(Model):
    """When alerts are raised."""

    consecutive_failures: int
    missed_window_multiplier: int


class Verification(Model):
    """What a reported success must be backed by."""

    mode: str


class OnFailure(Model):
    """What a final failure sets off."""

    email: bool
    webhook: str | None
    pause: bool


class Cue(Model):
    """A scheduled task (contract §2, shared objects)."""

    id: str
    name: str
    description: str | None
    status: str
    transport: str
    schedule: Schedule
    callback: Callback
    payload: dict[str, Any]
    retry: Retry
    delivery: Delivery
    alerts: AlertRules
    catch_up: str
    verification: Verification
    on_failure: OnFailure
    next_run: datetime | None
    last_run: datetime | None
    run_count: int
    fired_count: int
    warning: str | None
    created_at: datetime
    updated_at: datetime


class CueDetail(Cue):
    """A cue with its latest executions, newest first."""

    executions: list[Execution]
    execution_total: int
    execution_limit: int
    execution_offset: int


class CueList(Page[Cue]):
    """A page of cues."""

    _plural: ClassVar[str] = "cues"
    _kind: ClassVar[type[Model]] = Cue

    cues: list[Cue]


class BulkDeletion(Model):
    """Ids of cues that were deleted, and of those that were not there."""

    deleted: list[str]
    skipped: list[str]


class TestedRequest(Model):
    """What a test delivery sent; of a long `body` the beginning."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    body_truncated: bool


class TestedResponse(Model):
    """What a test delivery was answered; of a long `body` the beginning."""

    status: int
    headers: dict[str, str]
    body: str
    body_truncated: bool


class DeliveryTest(Model):
    """How a test delivery went (contract §16); without `response`, `error` tells why."""

    cue_id: str
    result: str
    duration_ms: int
    error: str | None
    error_message: str | None
    request: TestedRequest
    response: TestedResponse | None


class Explanation(Model):
    """Why a cue did or did not run at an instant."""

    at: datetime
    slot: datetime | None
    verdict: str
    reason: str | None
    execution_id: str | None
    summary: str
    hint: str | None


class Slot(Model):
    """One due time, and how it ended."""

    slot: datetime
    verdict: str
    execution_id: str | None
    status: str | None
    reason: str | None


class SlotList(Model):
    """The due times in a range; `truncated` if there were more than 1,000."""

    cue_id: str
    slots: list[Slot]
    total: int
    truncated: bool
