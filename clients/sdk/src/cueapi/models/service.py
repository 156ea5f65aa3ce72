"""Usage, support, health and the echo."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from cueapi.models.model import Model
from cueapi.models.page import Page


class Period(Model):
    """The present month; `start` and `end` are dates."""

    start: str
    end: str


class BillingPeriod(Period):
    """The present month, and how much of it is left."""

    days_remaining: int


class CueUsage(Model):
    """Active cues, out of how many."""

    used: int
    active: int
    paused: int
    limit: int
    remaining: int
    percent_used: int


class ExecutionUsage(Model):
    """The month's executions, out of how many."""

    used: int
    limit: int
    remaining: int
    percent_used: int
    percentage: float
    projected_month_end: int
    will_exceed_limit: bool
    grace_ends_at: datetime | None


class OutcomeUsage(Model):
    """The month's outcomes."""

    reported: int
    succeeded: int
    failed: int


class RateLimit(Model):
    """Requests a minute."""

    limit: int
    requests_per_minute: int
    current_usage: int


class Usage(Model):
    """What the account has used of its plan."""

    plan: str
    billing_period: BillingPeriod
    period: Period
    cues: CueUsage
    executions: ExecutionUsage
    outcomes: OutcomeUsage
    rate_limit: RateLimit
    upgrade_url: str | None


class SupportReceipt(Model):
    """A ticket was opened."""

    status: str
    ticket_id: int
    ticket_status: str


class SupportTicket(Model):
    """A ticket."""

    ticket_id: int
    subject: str
    message: str
    severity: str
    type: str
    ticket_status: str
    status: str
    created_at: datetime
    updated_at: datetime


class SupportTicketList(Page[SupportTicket]):
    """A page of tickets."""

    _plural: ClassVar[str] = "tickets"
    _kind: ClassVar[type[Model]] = SupportTicket

    tickets: list[SupportTicket]


class SchedulerHealth(Model):
    """When the scheduler last looked for due cues, and how many it found."""

    last_run: datetime | None
    seconds_ago: int | None
    cues_last_cycle: int | None
    cycle_duration_ms: int | None


class WorkersHealth(Model):
    """How many workers are active."""

    active_count: int


class QueueHealth(Model):
    """What waits to be done."""

    pending_outbox: int
    stale_executions: int
    pending_retries: int
    pending_worker_claims: int


class Health(Model):
    """How the server and what it needs are doing."""

    status: str
    version: str
    timestamp: datetime
    services: dict[str, str]
    poller: SchedulerHealth
    workers: WorkersHealth
    queue: QueueHealth | None


class ServiceStatus(Model):
    """healthy, degraded or down, and why."""

    status: str
    reason: str | None


class Echo(Model):
    """What arrived at an echo token: `status` is waiting or delivered."""

    status: str
    payload: dict[str, Any] | None
    headers: dict[str, str] | None
    received_at: datetime | None


class EchoStored(Model):
    """An echo was kept."""

    stored: bool
