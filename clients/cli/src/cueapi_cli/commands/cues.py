"""`create`, `list` and `get`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cueapi_cli.commands.fields import (
    At,
    Cron,
    CueId,
    Description,
    Limit,
    Offset,
    OnSuccessFire,
    Payload,
    RequiredKeys,
    RequirePayload,
    Status,
    Url,
    Zone,
)
from cueapi_cli.commands.schedule import occurrence_lines
from cueapi_cli.failures import USAGE, Failure
from cueapi_cli.inputs import instant_of, object_of
from cueapi_cli.output import Output
from cueapi_cli.session import Session, session_of

app = typer.Typer()


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", help="unique among your cues")],
    cron: Cron = None,
    at: At = None,
    url: Url = None,
    method: Annotated[str, typer.Option("--method")] = "POST",
    timezone: Zone = "UTC",
    payload: Payload = None,
    description: Description = None,
    worker: Annotated[bool, typer.Option("--worker", help="workers pull it; no URL")] = False,
    on_failure: Annotated[str | None, typer.Option("--on-failure", help="JSON")] = None,
    delivery: Annotated[str | None, typer.Option("--delivery", help="JSON")] = None,
    alerts: Annotated[str | None, typer.Option("--alerts", help="JSON")] = None,
    retry: Annotated[str | None, typer.Option("--retry", help="JSON")] = None,
    catch_up: Annotated[str | None, typer.Option("--catch-up", help="what of missed runs")] = None,
    verification: Annotated[str | None, typer.Option("--verification", help="a mode")] = None,
    _on_success_fire: OnSuccessFire = None,
    _require_payload: RequirePayload = False,
    _required_keys: RequiredKeys = None,
) -> None:
    """Create a cue: --cron for again and again, --at for once; --url or --worker."""
    session = session_of(ctx)
    if (cron is None) == (at is None):
        raise Failure("Give either --cron or --at.", "`cueapi create --help`", USAGE)
    if url is None and not worker:
        raise Failure("Give --url, or --worker for a cue that workers pull.", code=USAGE)
    when = instant_of("--at", at)
    if session.wishes.dry_run and not session.output.for_scripts:
        _preview(session, cron, when, timezone)
    created = session.client.cues.create(
        name,
        cron=cron,
        at=when,
        timezone=timezone,
        callback=url,
        callback_method=method,
        transport="worker" if worker else "webhook",
        payload=object_of("--payload", payload),
        description=description,
        on_failure=object_of("--on-failure", on_failure),
        delivery=object_of("--delivery", delivery),
        alerts=object_of("--alerts", alerts),
        retry=object_of("--retry", retry),
        catch_up=catch_up,
        verification=verification,
    ).to_dict()
    out = session.output
    lines = [out.good(f"Created: {created['id']}"), f"Status: {created['status']}"]
    lines += [f"Next run: {created['next_run']}"] if created.get("next_run") else []
    lines += [f"Warning: {created['warning']}"] if created.get("warning") else []
    out.show(created, *lines)


@app.command("list")
def list_cues(
    ctx: typer.Context, status: Status = None, limit: Limit = 20, offset: Offset = 0
) -> None:
    """List cues, newest first."""
    session = session_of(ctx)
    page = session.client.cues.list(limit=limit, offset=offset, status=status).to_dict()
    session.output.table(
        page,
        page["cues"],
        {
            "id": lambda cue: cue["id"],
            "name": lambda cue: cue["name"],
            "status": lambda cue: cue["status"],
            "next run": lambda cue: cue["next_run"],
        },
        empty="No cues yet. Make one: cueapi create --name hello --cron '0 9 * * *' --worker",
        foot=f"{len(page['cues'])} of {page['total']}",
    )


@app.command()
def get(ctx: typer.Context, cue_id: CueId) -> None:
    """Show a cue and its latest executions."""
    session = session_of(ctx)
    cue = session.client.cues.get(cue_id).to_dict()
    session.output.show(cue, *_described(cue, session.output))


def _preview(session: Session, cron: str | None, at: str | None, timezone: str) -> None:
    told = session.client.schedules.preview(cron=cron, at=at, timezone=timezone, count=5)
    for line in occurrence_lines(told.to_dict(), session.output):
        typer.echo(line)


def _described(cue: Mapping[str, Any], out: Output) -> list[str]:
    schedule, callback = cue["schedule"], cue["callback"]
    when = schedule["cron"] or schedule["at"]
    where = f"{callback['method']} {callback['url']}" if callback.get("url") else "workers"
    lines = [
        out.bold(cue["name"]),
        f"Id: {cue['id']}",
        f"Status: {out.state(cue['status'])}",
        f"Schedule: {when} ({schedule['timezone']})",
        f"Goes to: {where}",
        f"Next run: {cue['next_run'] or '-'}",
        f"Last run: {cue['last_run'] or '-'}",
        f"Runs: {cue['run_count']}",
        f"Created: {cue['created_at']}",
    ]
    lines += [f"Description: {cue['description']}"] if cue.get("description") else []
    runs = cue.get("executions") or []
    return lines + (["", "Latest executions:"] if runs else []) + [_run(run, out) for run in runs]


def _run(run: Mapping[str, Any], out: Output) -> str:
    parts = [run["scheduled_for"], out.state(run["status"]), f"attempts {run['attempts']}"]
    parts += [f"http {run['http_status']}"] if run.get("http_status") else []
    parts += [run["error_message"]] if run.get("error_message") else []
    return f"  {run['id']}  " + "  ".join(map(str, parts))
