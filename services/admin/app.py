"""The composition root of `cueapi-admin`: its groups of commands."""

from __future__ import annotations

import typer

from services.admin.commands import accounts, archive, keys, log, parked, tickets

app = typer.Typer(
    name="cueapi-admin",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Operate a CueAPI. It reads the same environment as the services.",
)
app.add_typer(accounts.app, name="accounts")
app.add_typer(tickets.app, name="tickets")
app.add_typer(parked.app, name="parked")
app.add_typer(log.app, name="log")
app.add_typer(archive.app, name="archive")
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run one command."""
    app()
