"""`delete` and `bulk-delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from cueapi_cli.commands.fields import CueId, Yes
from cueapi_cli.failures import Failure
from cueapi_cli.session import Session, session_of

app = typer.Typer()


@app.command()
def delete(ctx: typer.Context, cue_id: CueId, yes: Yes = False) -> None:
    """Delete a cue, with its executions and everything pending."""
    session = session_of(ctx)
    if not yes:
        name = session.client.cues.get(cue_id).name
        confirmed(session, f"Delete {name} ({cue_id})?")
    session.client.cues.delete(cue_id)
    session.output.show({"id": cue_id, "deleted": True}, session.output.good("Deleted."))


@app.command("bulk-delete")
def bulk_delete(
    ctx: typer.Context,
    cue_ids: Annotated[list[str], typer.Argument(metavar="CUE...")],
    yes: Yes = False,
) -> None:
    """Delete up to 100 cues."""
    session = session_of(ctx)
    if not yes:
        confirmed(session, f"Delete {len(cue_ids)} cues?")
    told = session.client.cues.bulk_delete(cue_ids).to_dict()
    deleted, skipped = told["deleted"], told["skipped"]
    lines = [session.output.good(f"Deleted: {len(deleted)}")]
    lines += [f"Skipped: {', '.join(skipped)} (not found)"] if skipped else []
    session.output.show(told, *lines)


def confirmed(session: Session, question: str) -> None:
    """Ask, if there is somebody to ask. Raises Failure unless the answer is yes."""
    if session.wishes.dry_run:
        return
    if not typer.confirm(question, err=True):
        raise Failure("Nothing was changed.", "Give --yes where nobody can answer.")
