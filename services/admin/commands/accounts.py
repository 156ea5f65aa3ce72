"""`cueapi-admin accounts`: look at accounts, change plans, export and erase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from libs.events.accounts import PLANS, allowance
from libs.events.cues import (
    UpdateCue,
)
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from services.admin.commands.options import AsJson, Limit, Who, Yes
from services.admin.settings import AdminSettings
from services.admin.shell import Failed, broker, run, show_fields, show_json, show_rows
from services.admin.tables import accounts, erasing, everything

app = typer.Typer(no_args_is_help=True, help="Look at accounts, change plans, export and erase.")


@app.command("list")
def list_accounts(
    search: Annotated[str, typer.Option(help="Part of the address.")] = "",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List accounts, newest first."""

    async def work(_: AdminSettings, database: Database) -> list[dict[str, Any]]:
        return await accounts.list_accounts(database, limit, search)

    show_rows(run(work), as_json=as_json, empty="There is no such account.")


@app.command()
def show(who: Who, as_json: AsJson = False) -> None:
    """Show one account."""
    show_fields(run(lambda _, database: _found(database, who)), as_json=as_json)


@app.command()
def set_plan(
    who: Who,
    plan: Annotated[str, typer.Argument(help=f"One of {', '.join(PLANS)}.")],
    as_json: AsJson = False,
) -> None:
    """Put an account on a plan; its limits hold at once, and surplus cues are paused."""
    if plan not in PLANS:
        raise typer.BadParameter(f"take one of {', '.join(PLANS)}", param_hint="PLAN")

    async def work(settings: AdminSettings, database: Database) -> dict[str, Any]:
        account = await _found(database, who)
        changed = await accounts.set_plan(PostgresLog(database), account["id"], plan)
        most = allowance(plan, account["limits"]).active_cues
        paused = await _pause_surplus(settings, database, account["id"], most)
        return {"account": account["id"], "plan": plan, "changed": changed, "paused": paused}

    show_fields(run(work), as_json=as_json)


@app.command()
def set_limits(
    who: Who,
    cues: Annotated[int | None, typer.Option(min=0, help="Active cues.")] = None,
    executions: Annotated[int | None, typer.Option(min=0, help="Executions a month.")] = None,
    requests: Annotated[int | None, typer.Option(min=1, help="Requests a minute.")] = None,
    reset: Annotated[bool, typer.Option(help="Leave what is not named to the plan again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give an account limits of its own, before its plan's; surplus cues are paused.

    Limits which are not named stay as they are. They outlive a change of plan.
    """
    named = {
        "active_cues": cues,
        "executions_per_month": executions,
        "requests_per_minute": requests,
    }
    changes = {name: most for name, most in named.items() if most is not None}
    if not changes and not reset:
        raise typer.BadParameter("name a limit, or --reset")

    async def work(settings: AdminSettings, database: Database) -> dict[str, Any]:
        account = await _found(database, who)
        log = PostgresLog(database)
        limits = await accounts.set_limits(log, account["id"], changes, reset=reset)
        allowed = allowance(account["plan"], limits)
        paused = await _pause_surplus(settings, database, account["id"], allowed.active_cues)
        told = {name: getattr(allowed, name) for name in named}
        return {"account": account["id"], "plan": allowed.name, **told, "paused": paused}

    show_fields(run(work), as_json=as_json)


@app.command()
def export(
    who: Who,
    to: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    as_json: AsJson = False,
) -> None:
    """Write all that is an account's as JSON lines, its events included; no secrets."""
    import json

    async def work(settings: AdminSettings, database: Database) -> int:
        account = await _found(database, who)
        count = 0
        try:
            with to.open("x", encoding="utf-8") as file:
                to.chmod(0o600)
                keyring = settings.keyring()
                async for line in everything.export_account(database, keyring, account["id"]):
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                    count += 1
        except FileExistsError as error:
            raise Failed(f"{to} exists already.", "Name another file.") from error
        return count

    show_fields({"file": str(to), "lines": run(work)}, as_json=as_json)


@app.command()
def erase(
    who: Who,
    reason: Annotated[str, typer.Option(help="Why, for the record; nothing personal.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase an account and all that is its, for ever; only a tombstone is left.

    Export it before. Backups, archives of the log, and Stripe's records of its payments are not
    touched. When it is cut off, run it again with the account's id.
    """
    account = run(lambda _, database: _erasable(database, who))
    if not yes:
        typer.echo(f"This erases {account['email']} and all that is its. It can't be undone.")
        if typer.prompt("Type the account's id to go on") != account["id"]:
            raise typer.BadParameter(f"the id is {account['id']}; nothing was erased")

    async def work(_: AdminSettings, database: Database) -> dict[str, Any]:
        try:
            erased = await erasing.erase_account(database, account["id"], reason)
        except erasing.Busy as error:
            raise Failed(f"Not all is erased: {error}.", "Run this again.") from error
        if erased is None:
            raise Failed("The account is gone already.", "Nothing is left to do.")
        return {"account": account["id"], "erased": sum(erased.rows.values()), **erased.rows}

    told = run(work)
    if as_json:
        show_json(told)
    else:
        show_fields(told, as_json=False)


async def _erasable(database: Database, who: str) -> dict[str, Any]:
    if await erasing.find_begun(database, who):
        return {"id": who, "email": "what is left of the account"}
    return await _found(database, who)


async def _found(database: Database, who: str) -> dict[str, Any]:
    account = await accounts.find_account(database, who)
    if account is None:
        raise Failed(f"There is no account {who}.", "Find it: cueapi-admin accounts list --search")
    return account


async def _pause_surplus(
    settings: AdminSettings, database: Database, account_id: str, most: int
) -> list[str]:
    surplus = await accounts.surplus_cues(database, account_id, most)
    if surplus:
        await _pause(settings, account_id, surplus)
    return surplus


async def _pause(settings: AdminSettings, account_id: str, cue_ids: list[str]) -> None:
    async with broker(settings) as bus:
        for cue_id in cue_ids:
            command = UpdateCue(account_id=account_id, cue_id=cue_id, changes={}, status="paused")
            await bus.ask(command, meta=Meta(correlation_id=new_uuid(), actor="operator"))
