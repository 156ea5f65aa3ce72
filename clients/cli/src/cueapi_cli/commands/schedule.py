"""`schedule explain` and `schedule preview`: a schedule in words, and its next times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cueapi_cli.commands.fields import At, Zone
from cueapi_cli.failures import USAGE, Failure
from cueapi_cli.inputs import instant_of
from cueapi_cli.output import Output
from cueapi_cli.session import Session, session_of

app = typer.Typer()
schedule = typer.Typer(
    help="Put a schedule into words, and list its next times.", no_args_is_help=True
)
app.add_typer(schedule, name="schedule")

CronArgument = Annotated[str | None, typer.Argument(metavar="CRON", help="five fields")]
Count = Annotated[int, typer.Option("-n", "--count", help="how many times, at most 100")]

_DST = {
    "gap": "this local time does not exist: the clock jumps over it",
    "repeat": "this local time comes twice: the clock goes back",
}


@schedule.command()
def explain(
    ctx: typer.Context, cron: CronArgument = None, timezone: Zone = "UTC", at: At = None
) -> None:
    """Say what a schedule means. The server works it out: this needs a connection."""
    _show(session_of(ctx), cron, at, timezone, 5)


@schedule.command("preview")
def schedule_preview(
    ctx: typer.Context,
    cron: CronArgument = None,
    timezone: Zone = "UTC",
    at: At = None,
    count: Count = 10,
) -> None:
    """List the next times of a schedule. The server works them out: this needs a connection."""
    _show(session_of(ctx), cron, at, timezone, count)


@app.command()
def preview(
    ctx: typer.Context,
    cron: CronArgument = None,
    timezone: Zone = "UTC",
    at: At = None,
    count: Count = 10,
) -> None:
    """Do as `schedule preview`."""
    _show(session_of(ctx), cron, at, timezone, count)


def occurrence_lines(told: Mapping[str, Any], out: Output) -> list[str]:
    """Tell a previewed schedule; changes of the clock are marked."""
    lines = [out.bold(told["description"])]
    for each in told["next"]:
        mark = f"  ! {_DST.get(each['dst'], each['dst'])}" if each.get("dst") else ""
        lines.append(f"  {each['local']}{mark}")
    return lines


def _show(session: Session, cron: str | None, at: str | None, timezone: str, count: int) -> None:
    if (cron is None) == (at is None):
        raise Failure("Give either a cron expression or --at.", code=USAGE)
    told = session.client.schedules.preview(
        cron=cron, at=instant_of("--at", at), timezone=timezone, count=count
    ).to_dict()
    session.output.show(told, *occurrence_lines(told, session.output))
