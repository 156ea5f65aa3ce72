"""Support tickets as operators see them."""

from __future__ import annotations

from typing import Any

from libs.runtime.mail.letters import Content, write
from libs.runtime.mail.sending import Mailer
from libs.runtime.postgres import Database
from services.admin.rules import TicketStatus, may_move, reply_letter

_TICKETS = """
select t.id, t.account_id::text, i.email, t.subject, t.severity, t.type, t.status,
       t.created_at, t.updated_at
  from support_tickets t left join identities i on i.account_id = t.account_id
"""


async def list_tickets(database: Database, status: str | None, limit: int) -> list[dict[str, Any]]:
    """Give the oldest tickets in a status; without one, those that are not closed."""
    wanted = [status] if status else ["open", "in_progress", "resolved"]
    return await database.rows(
        f"{_TICKETS} where t.status = any(%s) order by t.created_at, t.id limit %s",
        [wanted, limit],
    )


async def find_ticket(database: Database, ticket_id: int) -> dict[str, Any] | None:
    """Give a ticket with its message and what was answered; None when there is none."""
    rows = await database.rows(f"{_TICKETS} where t.id = %s", [ticket_id])
    if not rows:
        return None
    messages = await database.rows("select message from support_tickets where id = %s", [ticket_id])
    replies = await database.rows(
        "select message, created_at from support_replies where ticket_id = %s order by id",
        [ticket_id],
    )
    return {**rows[0], "message": messages[0]["message"], "replies": replies}


async def answer_ticket(
    database: Database,
    mailer: Mailer,
    ticket_id: int,
    message: str | None,
    status: TicketStatus,
) -> dict[str, Any] | None:
    """Keep an answer, move the ticket ahead to `status`, and mail both to its owner.

    None when there is no such ticket. All is kept, or nothing: raises `NotSent` when the mail is
    not taken. An account without an address gets none.
    """
    async with database.transaction() as (connection, _):
        cursor = await connection.execute(
            "select t.account_id::text, t.subject, t.status, i.email from support_tickets t"
            "  left join identities i on i.account_id = t.account_id"
            " where t.id = %s for update of t",
            [ticket_id],
        )
        row = await cursor.fetchone()
        if row is None:
            return None
        account_id, subject, before, email = row
        after = status if may_move(before, status) else before
        await connection.execute(
            "update support_tickets set status = %s, updated_at = now() where id = %s",
            [after, ticket_id],
        )
        if message is not None:
            await connection.execute(
                "insert into support_replies (ticket_id, account_id, message) values (%s, %s, %s)",
                [ticket_id, account_id, message],
            )
        if email is not None and (message is not None or after != before):
            told = message or f"Your ticket is {after.replace('_', ' ')} now."
            await _mail(mailer, email, reply_letter(ticket_id, subject, told, after))
    return {"ticket_id": ticket_id, "status": after, "mailed_to": email}


async def _mail(mailer: Mailer, to: str, content: Content) -> None:
    await mailer.send(write(to, content))
