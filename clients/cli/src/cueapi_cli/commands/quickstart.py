"""`quickstart`: a cue that fires at once and arrives at the server's own echo."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta, timezone

import typer

from cueapi_cli.failures import Failure
from cueapi_cli.session import Session, session_of

app = typer.Typer()

AHEAD_SECONDS = 15
LOOK_SECONDS = 2.0
LOOKS = 30


@app.command()
def quickstart(ctx: typer.Context) -> None:
    """Make a cue for 15 seconds from now, see it arrive, and delete it again."""
    session = session_of(ctx)
    token = f"qs-{secrets.token_hex(8)}"
    at = datetime.now(timezone.utc) + timedelta(seconds=AHEAD_SECONDS)
    cue = session.client.cues.create(
        f"quickstart-{token}",
        at=at,
        callback=f"{session.base.value}/v1/echo/{token}",
        payload={"hello": "from CueAPI"},
    )
    out = session.output
    out.note(out.good(f"Created: {cue.id}"))
    out.note(f"It fires at {at:%H:%M:%S} UTC.")
    try:
        with out.busy("Waiting for the delivery"):
            told = _delivered(session, token)
    finally:
        session.client.cues.delete(cue.id)
    shown = json.dumps(told["payload"], indent=2)
    out.show(told, out.good("Delivered."), shown, "Next: cueapi create --help", id_of="status")


def _delivered(session: Session, token: str) -> dict[str, object]:
    for _ in range(LOOKS):
        told = session.client.echo.get(token).to_dict()
        if told["status"] == "delivered":
            return told
        session.wait(LOOK_SECONDS)
    hint = "Run `cueapi doctor`; on a server of your own, look at the dispatcher's log."
    raise Failure("Nothing has arrived within a minute.", hint)
