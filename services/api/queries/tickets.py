"""Support tickets as their owner sees them (contract nr 41, 42)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.api.queries.pages import Filters, Listing, Page, Pages, Reads

_COLUMNS = "id, subject, message, severity, type, status, created_at, updated_at"
_LISTING = Listing("support_tickets", _COLUMNS)


class TicketRow(NamedTuple):
    """A ticket."""

    id: int
    subject: str
    message: str
    severity: str
    type: str
    status: str
    created_at: datetime
    updated_at: datetime


async def find_ticket(database: Reads, account_id: str, ticket_id: int) -> TicketRow | None:
    """Read one ticket; None when the account has no such ticket."""
    rows = await database.rows(
        f"select {_COLUMNS} from support_tickets"  # noqa: S608 - our names
        " where account_id = %(account)s and id = %(id)s",
        {"account": account_id, "id": ticket_id},
    )
    return _row(rows[0]) if rows else None


async def list_tickets(pages: Pages, filters: Filters, page: Page) -> tuple[int, list[TicketRow]]:
    """Read a page of tickets, newest first; give the number of all matches first."""
    found = await pages.read(_LISTING, filters, page)
    return found.counted.total, [_row(row) for row in found.rows]


def _row(row: Mapping[str, Any]) -> TicketRow:
    return TicketRow(**{name: row[name] for name in TicketRow._fields})
