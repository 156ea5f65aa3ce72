"""`trigger`: one signed sample to a URL, right or wrong on purpose."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timezone
from typing import Annotated, Any
from uuid import uuid4

import typer

from cueapi_cli.failures import FAILED
from cueapi_cli.forwarding import Answer, handed
from cueapi_cli.inputs import object_of
from cueapi_cli.session import Session, session_of
from cueapi_cli.signing import TOLERANCE_SECONDS, Delivery, signed

app = typer.Typer()


@app.command()
def trigger(
    ctx: typer.Context,
    url: Annotated[str, typer.Option("--url", help="the handler to test")],
    payload: Annotated[str | None, typer.Option("--payload", help="JSON, @file, -")] = None,
    cue: Annotated[str | None, typer.Option("--cue", help="as if this cue fired")] = None,
    secret: Annotated[
        str | None,
        typer.Option("--secret", envvar="CUEAPI_WEBHOOK_SECRET", help="else the account's"),
    ] = None,
    bad_signature: Annotated[bool, typer.Option("--bad-signature", help="must be refused")] = False,
    late: Annotated[bool, typer.Option("--late", help="must be refused")] = False,
    twice: Annotated[bool, typer.Option("--twice", help="must be taken once")] = False,
) -> None:
    """Send one signed sample to a URL, and say whether the handler did right.

    It must take a good sample with 2xx, and refuse a forged or a late one with 4xx.
    """
    session = session_of(ctx)
    key = secret or session.client.webhook_secret.get().webhook_secret
    age = 2 * TOLERANCE_SECONDS if late else 0
    sample = _sample(session, cue, object_of("--payload", payload))
    delivery = signed(sample, 1, key, int(time.time()) - age)
    if bad_signature:
        delivery = _forged(delivery)
    with session.http() as http:
        answers = [handed(http, url, delivery) for _ in range(2 if twice else 1)]
    refused_on_purpose = bad_signature or late
    right = all(_is_right(answer, refused_on_purpose) for answer in answers)
    out = session.output
    told = {
        "execution_id": delivery.execution_id,
        "answers": [{"status": each.status, "body": each.body} for each in answers],
        "right": right,
    }
    expected = "refuse it with 4xx" if refused_on_purpose else "take it with 2xx"
    verdict = out.good("Right.") if right else out.bad(f"Wrong: the handler should {expected}.")
    lines = [f"Answered: {each.words}  {each.body[:200]}".rstrip() for each in answers]
    out.show(told, *lines, verdict, id_of="execution_id")
    if not right:
        raise typer.Exit(FAILED)


def _is_right(answer: Answer, refused_on_purpose: bool) -> bool:
    if refused_on_purpose:
        return answer.status is not None and 400 <= answer.status < 500
    return answer.good


def _forged(delivery: Delivery) -> Delivery:
    return replace(
        delivery,
        headers={
            **delivery.headers,
            "X-CueAPI-Signature": "v1=" + "0" * 64,
            "webhook-signature": "v1," + "A" * 43 + "=",
        },
    )


def _sample(session: Session, cue_id: str | None, payload: dict[str, Any] | None) -> dict[str, Any]:
    known = session.client.cues.get(cue_id).to_dict() if cue_id else {}
    now = datetime.now(timezone.utc).replace(microsecond=0)
    own = known.get("payload") or {"task": "sample"}
    return {
        "id": str(uuid4()),
        "cue_id": known.get("id", "cue_000000sample"),
        "cue_name": known.get("name", "sample"),
        "payload": own if payload is None else payload,
        "scheduled_for": now.isoformat().replace("+00:00", "Z"),
    }
