"""Schedules, support, echo and health (contract §2 nr 40-44, §3, §16)."""

from __future__ import annotations

from typing import Any

from cueapi.calls import Call, query
from cueapi.models.schedules import SchedulePreview
from cueapi.models.service import (
    Echo,
    EchoStored,
    Health,
    ServiceStatus,
    SupportReceipt,
    SupportTicket,
    SupportTicketList,
)
from cueapi.resource import AsyncResource, Resource, listing, operation
from cueapi.resources.cues import schedule_of
from cueapi.values import Instant, present, segment


class ScheduleCalls:
    """The call about schedules."""

    @operation
    def preview(
        self,
        *,
        cron: str | None = None,
        at: Instant | None = None,
        timezone: str | None = None,
        count: int | None = None,
    ) -> Call[SchedulePreview]:
        """Tell in words what a schedule means, and its next `count` (1 to 100) due times.

        Raises ValueError unless exactly one of `cron` and `at` is given.
        """
        body = present(schedule=schedule_of(cron, at, timezone), count=count)
        return Call("POST", "/v1/schedules/preview", SchedulePreview.from_dict, json=body)


class SchedulesResource(ScheduleCalls, Resource):
    """`client.schedules`."""


class AsyncSchedulesResource(ScheduleCalls, AsyncResource):
    """`client.schedules` of an async client."""


class SupportCalls:
    """The calls about support tickets."""

    @operation
    def create(
        self, *, subject: str, message: str, severity: str, type: str
    ) -> Call[SupportReceipt]:
        """Open a ticket: severity low, medium or high, type bug or feature-request."""
        body = {"subject": subject, "message": message, "severity": severity, "type": type}
        return Call("POST", "/v1/support", SupportReceipt.from_dict, json=body)

    @operation
    def get(self, ticket_id: int) -> Call[SupportTicket]:
        """Read a ticket."""
        return Call("GET", f"/v1/support/{segment(ticket_id)}", SupportTicket.from_dict)

    @listing
    def list(
        self, *, ticket_status: str | None = None, limit: int = 20, offset: int = 0
    ) -> Call[SupportTicketList]:
        """List tickets, newest first; going over the result fetches all pages."""
        wanted = query(ticket_status=ticket_status, limit=limit, offset=offset)
        return Call("GET", "/v1/support", SupportTicketList.from_dict, query=wanted)


class SupportResource(SupportCalls, Resource):
    """`client.support`."""


class AsyncSupportResource(SupportCalls, AsyncResource):
    """`client.support` of an async client."""


class EchoCalls:
    """The calls about the echo, which keeps for five minutes what was posted to a token."""

    @operation
    def get(self, token: str) -> Call[Echo]:
        """Look what has arrived; the token has at least 16 characters."""
        return Call("GET", f"/v1/echo/{segment(token)}", Echo.from_dict)

    @operation
    def post(self, token: str, body: Any) -> Call[EchoStored]:
        """Post a JSON body, as a webhook does. Needs no key."""
        return Call("POST", f"/v1/echo/{segment(token)}", EchoStored.from_dict, json=body)


class EchoResource(EchoCalls, Resource):
    """`client.echo`."""


class AsyncEchoResource(EchoCalls, AsyncResource):
    """`client.echo` of an async client."""


class HealthCalls:
    """The calls about how the server is doing. No key needed."""

    @operation
    def get(self) -> Call[Health]:
        """Read how the server and all that it needs are doing."""
        return Call("GET", "/health", Health.from_dict)

    @operation
    def status(self) -> Call[ServiceStatus]:
        """Read healthy, degraded or down; a server that is down is an answer too."""
        return Call("GET", "/status", ServiceStatus.from_dict, accept=frozenset({503}))


class HealthResource(HealthCalls, Resource):
    """`client.health`."""


class AsyncHealthResource(HealthCalls, AsyncResource):
    """`client.health` of an async client."""
