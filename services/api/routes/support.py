"""Support tickets (contract §2 nr 40-42)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import StringConstraints
from starlette.responses import Response

from services.api.errors import ApiError
from services.api.queries.pages import Filters, Page
from services.api.queries.tickets import TicketRow, find_ticket, list_tickets
from services.api.routes.call import Call
from services.api.routes.deciding import Decided, decide
from services.api.routes.filters import one_of
from services.api.routes.guards import within
from services.api.routes.operation import Operations, answer
from services.api.routes.ports import Unit
from services.api.routes.shapes import NoBody, NoQuery, PageLimit, PageOffset, Query, Wish
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time
from services.api.tables.tickets import NewTicket, may_ask, open_ticket
from services.api.tables.windows import TICKETS

STATUSES = ("open", "in_progress", "resolved", "closed")
_NUMBER = re.compile(r"[1-9]\d{0,17}", re.ASCII)

support = Operations("Support")


def _text(shortest: int, longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest)


class TicketBody(Wish):
    """What is wrong, or wished for."""

    subject: Annotated[str, _text(10, 200)]
    message: Annotated[str, _text(30, 10_000)]
    severity: Literal["low", "medium", "high"]
    type: Literal["bug", "feature-request"]


class ListTicketsQuery(Query):
    """Which tickets to list; `status` is an older name of `ticket_status`."""

    ticket_status: str | None = None
    status: str | None = None
    limit: PageLimit = 20
    offset: PageOffset = 0


class ReceivedWire(Wire):
    """The ticket is open."""

    status: str
    ticket_id: int
    ticket_status: str


class TicketWire(Wire):
    """A ticket; `status` is the same as `ticket_status`."""

    ticket_id: int
    subject: str
    message: str
    severity: str
    type: str
    ticket_status: str
    status: str
    created_at: Timestamp
    updated_at: Timestamp


class TicketListWire(Wire):
    """A page of tickets."""

    tickets: list[TicketWire]
    total: int
    limit: int
    offset: int


@support.add(
    "POST",
    "/v1/support",
    body=TicketBody,
    query=NoQuery,
    answers={201: ReceivedWire},
    codes=("support_not_eligible",),
)
async def create_ticket(call: Call[TicketBody, NoQuery]) -> Response:
    """Ask for help."""

    async def receive(unit: Unit) -> Decided:
        if not await may_ask(unit.connection, call.account_id):
            message = "support is for accounts that are an hour old and have a cue"
            raise ApiError("support_not_eligible", message)
        await within(call, TICKETS, call.account_id, unit)
        ticket = NewTicket(account_id=call.account_id, **call.body.model_dump())
        number = await open_ticket(unit.connection, ticket)
        received = ReceivedWire(status="received", ticket_id=number, ticket_status=STATUSES[0])
        return Decided(received, status=201)

    return await decide(call, receive)


@support.add(
    "GET",
    "/v1/support/{ticket_id}",
    body=NoBody,
    query=NoQuery,
    answers={200: TicketWire},
    codes=("ticket_not_found",),
)
async def get_ticket(call: Call[NoBody, NoQuery]) -> Response:
    """Get a ticket."""
    number = call.path("ticket_id")
    row = None
    if _NUMBER.fullmatch(number):
        row = await find_ticket(call.ports.store, call.account_id, int(number))
    if row is None:
        raise ApiError("ticket_not_found", "no ticket of this account has this number")
    return answer(_ticket(row))


@support.add(
    "GET",
    "/v1/support",
    body=NoBody,
    query=ListTicketsQuery,
    answers={200: TicketListWire},
    codes=("invalid_filter",),
)
async def get_tickets(call: Call[NoBody, ListTicketsQuery]) -> Response:
    """List tickets, newest first."""
    query = call.query
    status = query.ticket_status if query.ticket_status is not None else query.status
    one_of("ticket_status", status, STATUSES)
    filters = Filters(call.account_id)
    filters.equal("status", status)
    page = Page(query.limit, query.offset)
    total, rows = await list_tickets(call.ports.pages, filters, page)
    return answer(
        TicketListWire(
            tickets=[_ticket(row) for row in rows],
            total=total,
            limit=query.limit,
            offset=query.offset,
        )
    )


def _ticket(row: TicketRow) -> TicketWire:
    return TicketWire(
        ticket_id=row.id,
        subject=row.subject,
        message=row.message,
        severity=row.severity,
        type=row.type,
        ticket_status=row.status,
        status=row.status,
        created_at=wire_time(row.created_at),
        updated_at=wire_time(row.updated_at),
    )
