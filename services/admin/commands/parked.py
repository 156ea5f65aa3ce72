"""`cueapi-admin parked`: messages that no handler could take."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec.structs import asdict

from libs.events import parked
from libs.runtime.postgres import Database
from services.admin.commands.options import AsJson, Limit
from services.admin.settings import AdminSettings
from services.admin.shell import broker, run, show_fields, show_rows

app = typer.Typer(no_args_is_help=True, help="Messages that no handler could take.")

Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="Which, by their ids.")]


@app.command("list")
def list_parked(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List messages that were put aside, newest first; with --json also their bodies."""

    async def work(_: AdminSettings, database: Database) -> list[parked.Parked]:
        return await parked.parked_messages(database, limit)

    rows = [_row(message, with_body=as_json) for message in run(work)]
    show_rows(rows, as_json=as_json, empty="No message is parked.")


@app.command()
def retry(ids: Ids, as_json: AsJson = False) -> None:
    """Send messages again, after what they broke on was mended."""

    async def work(settings: AdminSettings, database: Database) -> list[int]:
        async with broker(settings) as bus:
            return await parked.retry(database, bus, ids)

    show_fields({"sent": _all(run(work), ids)}, as_json=as_json)


@app.command()
def skip(ids: Ids, as_json: AsJson = False) -> None:
    """Drop messages for ever."""

    async def work(_: AdminSettings, database: Database) -> list[int]:
        return await parked.skip(database, ids)

    show_fields({"dropped": _all(run(work), ids)}, as_json=as_json)


def _row(message: parked.Parked, *, with_body: bool) -> dict[str, Any]:
    fields = {**asdict(message), "body": message.body.decode(errors="replace")}
    return fields if with_body else {name: fields[name] for name in fields if name != "body"}


def _all(done: list[int], ids: list[int]) -> list[int]:
    if missing := sorted(set(ids) - set(done)):
        typer.echo(f"not parked (any more): {', '.join(map(str, missing))}", err=True)
    return done
