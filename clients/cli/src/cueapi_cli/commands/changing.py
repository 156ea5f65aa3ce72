"""`update`, `pause` and `resume`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cueapi_cli.commands.fields import (
    At,
    Cron,
    CueId,
    Description,
    Name,
    OnSuccessFire,
    Payload,
    RequiredKeys,
    RequirePayload,
    Url,
)
from cueapi_cli.failures import USAGE, Failure
from cueapi_cli.inputs import instant_of, object_of
from cueapi_cli.session import session_of

app = typer.Typer()


@app.command()
def update(
    ctx: typer.Context,
    cue_id: CueId,
    name: Name = None,
    cron: Cron = None,
    at: At = None,
    timezone: Annotated[str | None, typer.Option("--timezone", "--tz")] = None,
    url: Url = None,
    payload: Payload = None,
    description: Description = None,
    status: Annotated[str | None, typer.Option("--status", help="active or paused")] = None,
    on_failure: Annotated[str | None, typer.Option("--on-failure", help="JSON")] = None,
    delivery: Annotated[str | None, typer.Option("--delivery", help="JSON")] = None,
    alerts: Annotated[str | None, typer.Option("--alerts", help="JSON")] = None,
    retry: Annotated[str | None, typer.Option("--retry", help="JSON")] = None,
    catch_up: Annotated[str | None, typer.Option("--catch-up")] = None,
    verification: Annotated[str | None, typer.Option("--verification")] = None,
    _on_success_fire: OnSuccessFire = None,
    _require_payload: RequirePayload = False,
    _required_keys: RequiredKeys = None,
) -> None:
    """Change what is given, and leave the rest as it is."""
    changes: dict[str, Any] = {
        "name": name,
        "cron": cron,
        "at": instant_of("--at", at),
        "timezone": timezone,
        "callback": url,
        "payload": object_of("--payload", payload),
        "description": description,
        "status": status,
        "on_failure": object_of("--on-failure", on_failure),
        "delivery": object_of("--delivery", delivery),
        "alerts": object_of("--alerts", alerts),
        "retry": object_of("--retry", retry),
        "catch_up": catch_up,
        "verification": verification,
    }
    given = {field: value for field, value in changes.items() if value is not None}
    if not given:
        raise Failure("Nothing to change.", "`cueapi update --help` lists the options.", USAGE)
    if "cron" in given and "at" in given:
        raise Failure("Give either --cron or --at.", code=USAGE)
    session = session_of(ctx)
    cue = session.client.cues.update(cue_id, **given).to_dict()
    session.output.show(cue, session.output.good(f"Updated: {cue['id']} ({cue['name']})"))


@app.command()
def pause(ctx: typer.Context, cue_id: CueId) -> None:
    """Stop scheduling a cue; executions already made go on."""
    session = session_of(ctx)
    cue = session.client.cues.pause(cue_id).to_dict()
    session.output.show(cue, session.output.good(f"Paused: {cue['id']} ({cue['name']})"))


@app.command()
def resume(ctx: typer.Context, cue_id: CueId) -> None:
    """Schedule a cue again from now on."""
    session = session_of(ctx)
    cue = session.client.cues.resume(cue_id).to_dict()
    lines = [session.output.good(f"Resumed: {cue['id']} ({cue['name']})")]
    lines += [f"Next run: {cue['next_run']}"] if cue.get("next_run") else []
    session.output.show(cue, *lines)
