"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

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
JsonPart = Annotated[str | None, typer.Option(help="JSON")]
