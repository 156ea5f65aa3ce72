"""`cueapi-admin log`: the rows from the log, and the log to the broker."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from libs.events import rebuild as folding
from libs.events.archives import Damaged
from libs.events.relay import rewind
from libs.runtime.postgres import Database
from services.admin.commands.options import AsJson, Yes
from services.admin.settings import AdminSettings
from services.admin.shell import Failed, run, show_fields, show_rows

T = TypeVar("T")
Archives = Annotated[
    Path | None,
    typer.Option(envvar="CUEAPI_ARCHIVE_FOLDER", help="Where months lie that were archived."),
]

app = typer.Typer(no_args_is_help=True, help="Rows from the log, and the log to the broker.")


@app.command()
def verify(archives: Archives = None, as_json: AsJson = False) -> None:
    """Compare every row with the fold of the log; ends with code 1 when one differs."""

    async def work(_: AdminSettings, database: Database) -> list[dict[str, Any]]:
        with _waiting("Folding the log"):
            return [found.as_fields() for found in await _whole(folding.verify(database, archives))]

    differences = run(work)
    show_rows(differences, as_json=as_json, empty="Every row is what its events say.")
    if differences:
        typer.echo("what to do: cueapi-admin log rebuild writes the rows anew.", err=True)
        raise typer.Exit(1)


@app.command()
def rebuild(archives: Archives = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Write every row anew from the log, in one transaction; who writes waits meanwhile."""
    if not yes:
        typer.confirm("Nothing can be written while this runs. Go on?", abort=True)

    async def work(_: AdminSettings, database: Database) -> int:
        with _waiting("Writing the rows"):
            return await _whole(folding.rebuild(database, archives))

    show_fields({"rows": run(work)}, as_json=as_json)


@app.command()
def republish(
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="From when on, UTC.")
    ],
    as_json: AsJson = False,
) -> None:
    """Tell the services of all events since then again; they take repeats."""

    async def work(_: AdminSettings, database: Database) -> int:
        return await rewind(database, since.replace(tzinfo=UTC))

    show_fields({"events": run(work)}, as_json=as_json)


async def _whole(fold: Awaitable[T]) -> T:
    try:
        return await fold
    except folding.Incomplete as error:
        raise Failed(f"{error}.", "Name their folder: --archives FOLDER.") from error
    except Damaged as error:
        raise Failed(f"{error}.", "Put a copy of that month's folder in its place.") from error


def _waiting(what: str) -> Any:
    from rich.console import Console

    return Console(stderr=True).status(what)
