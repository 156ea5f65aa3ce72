"""What all commands share: the connection, what is printed, and errors that say what to do."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from libs.events.bus import Bus, Unanswered
from libs.runtime.logging import configure_logging
from libs.runtime.mail.sending import NotSent
from libs.runtime.postgres import Database, Unavailable
from services.admin.settings import AdminSettings

BROKER_SECONDS = 10.0
T = TypeVar("T")


class Failed(Exception):
    """What is wrong, and what to do next."""

    def __init__(self, problem: str, what_to_do: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.what_to_do = what_to_do


def run(work: Callable[[AdminSettings, Database], Awaitable[T]]) -> T:
    """Do one command's work on the database; every failure is told with what to do about it."""
    try:
        settings = AdminSettings()
    except ValidationError as error:
        told = "; ".join(fault["msg"] for fault in error.errors(include_input=False))
        give_up(told, "Give this command the environment of the services.")
    configure_logging("admin", json=settings.log_format == "json", level="warning")
    try:
        return asyncio.run(_run(settings, work))
    except Failed as failure:
        give_up(failure.problem, failure.what_to_do)
    except Unavailable as error:
        give_up(f"Postgres does not answer: {error}", "Look at DATABASE_URL, and at the server.")
    except Unanswered as error:
        give_up(f"The broker does not answer: {error}", "Look at NATS_URL, and at nats-server.")
    except NotSent as error:
        give_up(f"{error}; nothing was kept.", "Look at CUEAPI_SMTP_URL, then do it again.")


async def _run(
    settings: AdminSettings, work: Callable[[AdminSettings, Database], Awaitable[T]]
) -> T:
    database = Database(settings.database_url, max_connections=2, name="cueapi-admin")
    await database.open()
    try:
        return await work(settings, database)
    finally:
        await database.close()


@asynccontextmanager
async def broker(settings: AdminSettings) -> AsyncIterator[Bus]:
    """Hold a connection to the broker. Raises `Unanswered` when it does not answer in time."""
    bus = Bus(settings.nats_url, "admin")
    try:
        try:
            async with asyncio.timeout(BROKER_SECONDS):
                await bus.connect()
        except TimeoutError as error:
            raise Unanswered(f"nothing listens at {settings.nats_url}") from error
        yield bus
    finally:
        await bus.close()


def give_up(problem: str, what_to_do: str) -> NoReturn:
    """Tell what is wrong and what to do, and end with code 1."""
    typer.echo(f"error: {problem}\nwhat to do: {what_to_do}", err=True)
    raise typer.Exit(1)


def show_json(value: Any) -> None:
    """Print one JSON document on one line."""
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as a table, or each as a line of JSON; `empty` is told when there are none."""
    if as_json:
        for row in rows:
            show_json(row)
        return
    if not rows:
        typer.echo(empty)
        return
    # Only who looks at a table pays for loading it.
    from rich.console import Console
    from rich.table import Table

    table = Table(*[name.replace("_", " ") for name in rows[0]], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*["" if value is None else _cell(value) for value in row.values()])
    # Into a pipe or a file no cell is cut.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def show_fields(row: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing, a field a line, or as JSON."""
    if as_json:
        show_json(row)
        return
    width = max(len(name) for name in row)
    for name, value in row.items():
        typer.echo(f"{name.replace('_', ' '):<{width}}  {'' if value is None else _cell(value)}")


def _cell(value: Any) -> str:
    return (
        value.isoformat(sep=" ", timespec="seconds") if hasattr(value, "isoformat") else str(value)
    )
