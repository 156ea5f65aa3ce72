"""Support tickets: opened by owners, moved by operators."""

from __future__ import annotations

from typing import NamedTuple

from libs.runtime.postgres import Connection


class NewTicket(NamedTuple):
    """A ticket to open."""

    account_id: str
    subject: str
    message: str
    severity: str
    type: str


async def may_ask(connection: Connection, account_id: str) -> bool:
    """Whether the account is an hour old and has a cue (contract nr 40)."""
    cursor = await connection.execute(
        "select i.created_at <= now() - interval '1 hour'"
        "       and exists (select from api_cues c where c.account_id = i.account_id)"
        "  from identities i where i.account_id = %s",
        [account_id],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def open_ticket(connection: Connection, ticket: NewTicket) -> int:
    """Open a ticket; gives its number."""
    cursor = await connection.execute(
        "insert into support_tickets (account_id, subject, message, severity, type)"
        " values (%s, %s, %s, %s, %s) returning id",
        ticket,
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])
