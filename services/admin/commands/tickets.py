"""`cueapi-admin tickets`: support tickets, answered by mail."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from libs.runtime.http.names import NameLookup
from libs.runtime.mail.sending import LogMailer
from libs.runtime.postgres import Database
from services.admin.commands.options import AsJson, Limit
from services.admin.rules import TicketStatus
from services.admin.settings import AdminSettings
from services.admin.shell import Failed, run, show_fields, show_rows
from services.admin.tables import tickets

app = typer.Typer(no_args_is_help=True, help="Support tickets: look at them, and answer by mail.")

Ticket = Annotated[int, typer.Argument(min=1, metavar="TICKET", help="Its number.")]


@app.command("list")
def list_tickets(
    status: Annotated[
        TicketStatus | None, typer.Option(help="Only these; without it, all but closed ones.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List tickets, oldest first."""

    async def work(_: AdminSettings, database: Database) -> list[dict[str, Any]]:
        return await tickets.list_tickets(database, status, limit)

    show_rows(run(work), as_json=as_json, empty="No ticket waits.")


@app.command()
def show(ticket: Ticket, as_json: AsJson = False) -> None:
    """Show a ticket with its message and what was answered."""

    async def work(_: AdminSettings, database: Database) -> dict[str, Any]:
        return _there(await tickets.find_ticket(database, ticket), ticket)

    show_fields(run(work), as_json=as_json)


@app.command()
def reply(
    ticket: Ticket,
    message: Annotated[str, typer.Argument(help="What to answer.")],
    status: Annotated[
        TicketStatus, typer.Option(help="How the ticket stands after it.")
    ] = "in_progress",
    as_json: AsJson = False,
) -> None:
    """Answer a ticket: kept, and mailed to its owner."""
    _answer(ticket, message, status, as_json=as_json)


@app.command()
def close(
    ticket: Ticket,
    message: Annotated[str | None, typer.Option(help="What to answer with it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Close a ticket; its owner gets a mail."""
    _answer(ticket, message, "closed", as_json=as_json)


def _answer(ticket: int, message: str | None, status: TicketStatus, *, as_json: bool) -> None:
    async def work(settings: AdminSettings, database: Database) -> dict[str, Any]:
        names = NameLookup()
        try:
            mailer = settings.mailer(names)
            if isinstance(mailer, LogMailer):
                typer.echo("no mail is sent: set CUEAPI_SMTP_URL or RESEND_API_KEY", err=True)
            done = await tickets.answer_ticket(database, mailer, ticket, message, status)
        finally:
            names.close()
        return _there(done, ticket)

    show_fields(run(work), as_json=as_json)


def _there(found: dict[str, Any] | None, ticket: int) -> dict[str, Any]:
    if found is None:
        raise Failed(f"There is no ticket {ticket}.", "Look for it: cueapi-admin tickets list")
    return found
