"""`explain` and `replay`: why something ran or did not, and running it again."""

from __future__ import annotations

from typing import Annotated

import typer

from cueapi_cli.commands.fields import CueId, OfCue, Status
from cueapi_cli.failures import USAGE, Failure
from cueapi_cli.inputs import instant_of
from cueapi_cli.session import Session, session_of

app = typer.Typer()


@app.command()
def explain(
    ctx: typer.Context,
    cue_id: CueId,
    at: Annotated[str, typer.Option("--at", help="RFC 3339, now, or 10m (ago)")] = "now",
) -> None:
    """Tell why a cue did or did not run at a time."""
    session = session_of(ctx)
    moment = instant_of("--at", at)
    told = session.client.cues.explain(cue_id, at=moment or "").to_dict()
    lines = [f"{told['verdict']}: {told['summary']}"]
    lines += [f"Reason: {told['reason']}"] if told.get("reason") else []
    lines += [f"Execution: {told['execution_id']}"] if told.get("execution_id") else []
    lines += [f"Hint: {told['hint']}"] if told.get("hint") else []
    session.output.show(told, *lines, id_of="execution_id")


@app.command()
def replay(
    ctx: typer.Context,
    execution_id: Annotated[str | None, typer.Argument(metavar="[EXECUTION]")] = None,
    cue_id: OfCue = None,
    status: Status = None,
    since: Annotated[str | None, typer.Option("--since", help="RFC 3339, or 10m")] = None,
    until: Annotated[str | None, typer.Option("--until")] = None,
) -> None:
    """Run an ended execution again; or many, by --cue, --status, --since.

    With --dry-run, many are only counted.
    """
    session = session_of(ctx)
    filters = (cue_id, status, since, until)
    if execution_id is not None and not any(filters):
        replayed(session, execution_id)
        return
    if execution_id is not None or not any(filters):
        raise Failure("Give either an execution, or filters.", "`cueapi replay --help`", USAGE)
    client = session.client
    dry = session.wishes.dry_run
    if dry:
        # The server itself counts without changing anything.
        client = session.without_dry_run().client
    told = client.executions.replay_many(
        cue_id=cue_id,
        status=status,
        since=instant_of("--since", since),
        until=instant_of("--until", until),
        dry_run=dry,
    ).to_dict()
    done = "Would replay" if dry else "Replayed"
    count = told["matched"] - len(told["skipped"]) if dry else told["replayed"]
    lines = [session.output.good(f"{done}: {count} of {told['matched']}")]
    lines += [f"Skipped: {each['execution_id']} ({each['reason']})" for each in told["skipped"]]
    session.output.show(told, *lines)


def replayed(session: Session, execution_id: str) -> None:
    """Replay one execution, and tell it."""
    new = session.client.executions.replay(execution_id).to_dict()
    session.output.show(new, session.output.good(f"Replayed: {new['id']} (of {execution_id})"))
