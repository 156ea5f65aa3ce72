"""`cueapi-admin keys`: the keys that seal secrets at rest."""

from __future__ import annotations

from typing import Any

import typer

from libs.runtime.postgres import Database
from services.admin.commands.options import AsJson
from services.admin.settings import AdminSettings
from services.admin.shell import run, show_fields
from services.admin.tables.sealed import left_over, reseal_all

app = typer.Typer(no_args_is_help=True, help="The keys that seal secrets at rest.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Count what the current key has not sealed."""

    async def work(settings: AdminSettings, database: Database) -> dict[str, Any]:
        keyring = settings.keyring()
        return {
            "current_key": keyring.current_id.hex(),
            "older_keys": [key_id.hex() for key_id in keyring.older_ids],
            "to_rotate": await left_over(database, keyring),
        }

    show_fields(run(work), as_json=as_json)


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Seal every secret anew with the first key of CUEAPI_ENCRYPTION_KEY.

    1. Put the new key before the old one, and restart the services. 2. Run this; when it is cut
    off, run it again. 3. When it has left nothing over, take the old key out.
    """

    async def work(settings: AdminSettings, database: Database) -> dict[str, Any]:
        keyring, resealed, unopened = settings.keyring(), 0, 0
        async for progress in reseal_all(database, keyring):
            resealed += progress.resealed
            unopened += progress.unopened
            typer.echo(f"{progress.place}: {resealed} sealed anew", err=True)
        return {
            "current_key": keyring.current_id.hex(),
            "resealed": resealed,
            "unopened": unopened,
            "left_over": await left_over(database, keyring),
        }

    told = run(work)
    show_fields(told, as_json=as_json)
    if told["left_over"]:
        what_to_do = "add the key that sealed it to CUEAPI_ENCRYPTION_KEY, and run this again."
        typer.echo(f"some is left over; what to do: {what_to_do}", err=True)
        raise typer.Exit(1)
