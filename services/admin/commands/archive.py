"""`cueapi-admin archive`: old months of the log to files, checked, and back."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.events import archiving
from libs.events.archives import Damaged, Manifest, months_in, verify_month
from libs.events.partitions import month_after
from libs.runtime.clock import utc_now
from libs.runtime.postgres import Database
from services.admin.commands.options import AsJson
from services.admin.settings import AdminSettings
from services.admin.shell import Failed, give_up, run, show_rows

app = typer.Typer(no_args_is_help=True, help="Old months of the log to files, and back.")

YOUNGEST_MONTHS = 1
Folder = Annotated[
    Path, typer.Option(envvar="CUEAPI_ARCHIVE_FOLDER", help="Where archives lie, a folder a month.")
]
DEFAULT_FOLDER = Path("archive")


@app.command("run")
def run_(
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m"], help="The first month that stays, e.g. 2026-05.")
    ],
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Write whole months to files, read them back, and take them out of the log.

    A month with executions that have not ended stays, and so do the months after it. When it is cut
    off, run it again. Rows stay in the database; an archived execution has no timeline any more.
    """
    first_kept = before.date()
    if first_kept > month_after(utc_now().date().replace(day=1), -YOUNGEST_MONTHS):
        raise typer.BadParameter("the present month and the one before it stay in the log")

    async def work(_: AdminSettings, database: Database) -> list[dict[str, Any]]:
        done = []
        for month in await archiving.months_to_archive(database, first_kept):
            archived = await _told(archiving.archive_month(database, folder, month))
            done.append(_fields(archived))
            typer.echo(f"{month:%Y-%m}: {archived.events} events archived", err=True)
        return done

    folder.mkdir(parents=True, exist_ok=True)
    show_rows(run(work), as_json=as_json, empty="No month before it lies in the log.")


@app.command()
def verify(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Read every archive back and compare it with its manifest; ends with code 1 if one differs."""
    try:
        checked = [_of_manifest(verify_month(folder, month)) for month in months_in(folder)]
    except Damaged as error:
        give_up(str(error), "Put a copy of that month's folder in its place.")
    show_rows(checked, as_json=as_json, empty=f"There are no archives in {folder}.")


@app.command()
def restore(
    month: Annotated[
        datetime, typer.Argument(formats=["%Y-%m"], help="Which month, e.g. 2026-04.")
    ],
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Put an archived month back into the log; what is of accounts erased since stays away."""

    async def work(_: AdminSettings, database: Database) -> dict[str, Any]:
        wanted = month.date()
        return _fields(await _told(archiving.restore_month(database, folder, wanted)))

    show_rows([run(work)], as_json=as_json, empty="")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the months that were taken out of this database's log."""

    async def work(_: AdminSettings, database: Database) -> list[dict[str, Any]]:
        return await archiving.archived_months(database)

    show_rows(run(work), as_json=as_json, empty="All of the log lies in the database.")


async def _told(work: Awaitable[archiving.Archived]) -> archiving.Archived:
    try:
        return await work
    except archiving.StillOpen as error:
        raise Failed(str(error), "Wait until they have ended, then run this again.") from error
    except archiving.Running as error:
        raise Failed(str(error), "Wait until it has ended, then run this again.") from error
    except archiving.InTheLog as error:
        raise Failed(str(error), "Nothing is left to do.") from error
    except Damaged as error:
        what_to_do = "Look at the disk, put a copy in its place, and run this again."
        raise Failed(str(error), what_to_do) from error


def _fields(archived: archiving.Archived) -> dict[str, Any]:
    return {
        "month": f"{archived.month:%Y-%m}",
        "events": archived.events,
        "folder": archived.folder,
    }


def _of_manifest(manifest: Manifest) -> dict[str, Any]:
    return {
        "month": f"{manifest.month:%Y-%m}",
        "events": manifest.events,
        "files": len(manifest.files),
        "bytes": sum(file.size for file in manifest.files),
        "sha256": manifest.content,
    }
