"""`logs` and `tail`: what happened, and what happens now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any

import typer

from cueapi_cli.commands.fields import OfCue, Status
from cueapi_cli.failures import USAGE, Failure
from cueapi_cli.inputs import instant_of
from cueapi_cli.live import beginning
from cueapi_cli.output import Output
from cueapi_cli.session import Session, session_of

app = typer.Typer()

Type = Annotated[str | None, typer.Option("--type", help="event types, by comma")]
Count = Annotated[int | None, typer.Option("-n", "--count", help="end after so many events")]
After = Annotated[str | None, typer.Option("--after", help="resume behind this position")]

EVENTS_OF: Mapping[str, str] = {
    "pending": "ExecutionScheduled",
    "delivering": "AttemptStarted,ExecutionClaimed",
    "retrying": "AttemptFailed",
    "success": "AttemptSucceeded,OutcomeReported",
    "failed": "DeliveryFailed",
    "missed": "ExecutionMissed",
    "outcome_timeout": "OutcomeDeadlinePassed",
}
"""Which events bring an execution into a status."""

_BAD = frozenset(
    {"AttemptFailed", "DeliveryFailed", "ExecutionMissed", "OutcomeDeadlinePassed", "AlertRaised"}
)
_GOOD = frozenset({"AttemptSucceeded", "OutcomeVerified"})


@app.command()
def logs(
    ctx: typer.Context,
    cue_id: OfCue = None,
    status: Status = None,
    since: Annotated[str | None, typer.Option("--since", help="RFC 3339, or 10m")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="go on with what happens")] = False,
    limit: Annotated[int, typer.Option("--limit", help="at most 100")] = 20,
    kind: Type = None,
    count: Count = None,
) -> None:
    """Show the latest executions, oldest first; with -f go on with what happens."""
    session = session_of(ctx)
    _check(status)
    position = beginning(session) if follow else None
    wanted = {"cue_id": cue_id, "status": status, "limit": limit}
    wanted["since"] = instant_of("--since", since)
    page = session.client.request("GET", "/v1/executions", params=wanted)
    runs = page["executions"][::-1]
    if not follow:
        session.output.table(
            page,
            runs,
            {
                "scheduled for": lambda run: run["scheduled_for"],
                "status": lambda run: run["status"],
                "cue": lambda run: run["cue_name"],
                "execution": lambda run: run["id"],
                "outcome": lambda run: run["outcome_state"],
                "error": lambda run: run["error_message"],
            },
            empty="Nothing has run yet.",
        )
        return
    for run in runs:
        state = session.output.state(run["status"])
        session.output.note(f"{run['scheduled_for']}  {state:<22} {run['cue_name']}  {run['id']}")
    _follow(session, cue_id, kind or EVENTS_OF.get(status or ""), count, position)


@app.command()
def tail(
    ctx: typer.Context,
    cue_id: OfCue = None,
    kind: Type = None,
    count: Count = None,
    after: After = None,
) -> None:
    """Follow what happens, until Ctrl-C. With --json, a line of JSON for each event."""
    _follow(session_of(ctx), cue_id, kind, count, after)


def event_line(event: Mapping[str, Any], out: Output) -> str:
    """Tell an event in a line."""
    kind = f"{event['type']:<22}"
    if event["type"] in _BAD:
        kind = out.bad(kind)
    elif event["type"] in _GOOD or (event["data"].get("report") or {}).get("success"):
        kind = out.good(kind)
    about = event["execution_id"] or event["cue_id"] or ""
    return f"{event['at']}  {kind} {event['summary']}  {out.dim(about)}".rstrip()


def _follow(
    session: Session, cue_id: str | None, kind: str | None, count: int | None, after: str | None
) -> None:
    events: Iterator[Any] = session.client.events.stream(
        cue_id=cue_id, type=kind, last_event_id=after
    )
    out = session.output.by_line()
    for event in islice(events, count):
        told = event.to_dict()
        out.show(told, event_line(told, out), id_of="execution_id")


def _check(status: str | None) -> None:
    if status is not None and status not in EVENTS_OF:
        raise Failure(f"--status is one of {', '.join(EVENTS_OF)}", code=USAGE)
