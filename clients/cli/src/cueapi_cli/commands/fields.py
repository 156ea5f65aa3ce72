"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cueapi_cli.failures import USAGE, Failure


def _not_checked(ctx: typer.Context, option: typer.CallbackParam, value: Any) -> Any:
    if value:
        hint = "Use --verification: the server checks evidence by the cue's mode."
        name = (option.name or "").replace("_", "-")
        raise Failure(f"The server does not do --{name}.", hint, USAGE)
    return value


# Unreleased clients had these; accepting them would make users believe in a check that is not made.
OnSuccessFire = Annotated[
    str | None, typer.Option("--on-success-fire", hidden=True, callback=_not_checked)
]
RequirePayload = Annotated[
    bool, typer.Option("--require-payload-override", hidden=True, callback=_not_checked)
]
RequiredKeys = Annotated[
    str | None, typer.Option("--required-keys", hidden=True, callback=_not_checked)
]
ExitCriteria = Annotated[
    str | None, typer.Option("--exit-criteria", hidden=True, callback=_not_checked)
]

CueId = Annotated[str, typer.Argument(metavar="CUE", help="a cue's id")]
ExecutionId = Annotated[str, typer.Argument(metavar="EXECUTION", help="an execution's id")]
WorkerId = Annotated[str, typer.Option("--worker-id", help="who does the work")]
Limit = Annotated[int, typer.Option("--limit", help="how many, at most 100")]
Offset = Annotated[int, typer.Option("--offset", help="how many to leave out")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Zone = Annotated[str, typer.Option("--timezone", "--tz", help="an IANA zone")]
Status = Annotated[str | None, typer.Option("--status", help="only those in this status")]
OfCue = Annotated[str | None, typer.Option("--cue-id", "--cue", help="only those of this cue")]
Name = Annotated[str | None, typer.Option("--name", help="unique among your cues")]
Cron = Annotated[str | None, typer.Option("--cron", help="when, again and again: five fields")]
At = Annotated[str | None, typer.Option("--at", help="when, once: RFC 3339, or +10m")]
Url = Annotated[str | None, typer.Option("--url", "--callback", help="where deliveries go")]
Payload = Annotated[
    str | None, typer.Option("--payload", help="JSON, @file.json, or - for standard input")
]
Description = Annotated[str | None, typer.Option("--description")]
