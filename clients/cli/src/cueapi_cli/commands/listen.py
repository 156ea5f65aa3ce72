"""`listen`: deliveries come to a local port, without a public address."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Annotated, Any

import typer

from cueapi_cli.commands.fields import OfCue
from cueapi_cli.forwarding import Answer, handed, outcome_of
from cueapi_cli.live import beginning
from cueapi_cli.session import Session, session_of
from cueapi_cli.signing import Delivery, copied, signed

app = typer.Typer()

ENDED_ATTEMPTS = "AttemptSucceeded,AttemptFailed"
WAIT_SECONDS = 25
LEASE_SECONDS = 300


@app.command()
def listen(
    ctx: typer.Context,
    forward_to: Annotated[str, typer.Option("--forward-to", help="http://localhost:3000/hook")],
    cue_id: OfCue = None,
    task: Annotated[str | None, typer.Option("--task", help="claim work of this task")] = None,
    worker: Annotated[bool, typer.Option("--worker", help="claim any work")] = False,
    worker_id: Annotated[str | None, typer.Option("--worker-id")] = None,
    report: Annotated[
        bool | None, typer.Option("--report/--no-report", help="the answer is the outcome")
    ] = None,
    count: Annotated[int | None, typer.Option("-n", "--count", help="end after so many")] = None,
) -> None:
    """Bring deliveries to a local port, signed as the real ones are.

    Webhook deliveries are copied as they go out; with --task or --worker, executions of worker
    cues are claimed. The answer becomes the outcome with --report, which claimed work has anyway.
    """
    session = session_of(ctx)
    secret = session.client.webhook_secret.get().webhook_secret
    claims = worker or task is not None
    out = session.output
    out.note(f"Forwarding to {forward_to}")
    out.note(f"Signed with {secret}")
    out.note(out.dim("Ctrl-C ends it."))
    reports = claims if report is None else report
    if claims:
        name = worker_id or f"listen-{socket.gethostname()}"
        deliveries = _claimed(session, secret, name, task)
    else:
        deliveries = _copies(session, secret, cue_id, beginning(session))
    out.note("Ready.")
    with session.http(timeout=float(LEASE_SECONDS)) as http:
        for delivery, intact in islice(deliveries, count):
            answer = handed(http, forward_to, delivery)
            reported = _reported(session, delivery, answer) if reports else None
            _tell(session, delivery, answer, intact, reported)


def _copies(
    session: Session, secret: str, cue_id: str | None, position: str
) -> Iterator[tuple[Delivery, bool]]:
    @cache
    def method_of(cue_id: str) -> str:
        return session.client.cues.get(cue_id).callback.method

    stream = session.client.events.stream
    for event in stream(cue_id=cue_id, type=ENDED_ATTEMPTS, last_event_id=position):
        if event.execution_id is None:
            continue
        execution = session.client.executions.get(event.execution_id).to_dict()
        made = session.client.executions.attempts(event.execution_id).to_dict()["attempts"]
        ended = [each for each in made if each["ended_at"] == event.get("at")]
        attempt = (ended or [each for each in made if each["ended_at"]])[-1]
        delivery, intact = copied(execution, attempt, secret, int(time.time()))
        yield replace(delivery, method=method_of(execution["cue_id"])), intact


def _claimed(
    session: Session, secret: str, worker_id: str, task: str | None
) -> Iterator[tuple[Delivery, bool]]:
    from cueapi import ClaimFailedError

    while True:
        try:
            held = session.client.executions.claim_next(
                worker_id=worker_id,
                task=task,
                wait_seconds=WAIT_SECONDS,
                lease_seconds=LEASE_SECONDS,
            )
        except ClaimFailedError:
            continue
        execution = session.client.executions.get(held.execution_id).to_dict()
        yield signed(execution, held.attempt, secret, int(time.time())), True


def _reported(session: Session, delivery: Delivery, answer: Answer) -> str:
    from cueapi import CueAPIError

    try:
        told = session.client.executions.report_outcome(delivery.execution_id, **outcome_of(answer))
    except CueAPIError as refused:
        # One that was refused must not end the listening: others are waiting.
        return f"not recorded: {refused.message}"
    return str(told.outcome_state)


def _tell(
    session: Session, delivery: Delivery, answer: Answer, intact: bool, reported: str | None
) -> None:
    out = session.output.by_line()
    told: Mapping[str, Any] = {
        "execution_id": delivery.execution_id,
        "status": answer.status,
        "seconds": round(answer.seconds, 3),
        "signature_intact": intact,
        "error": answer.error or None,
        "outcome": reported,
    }
    mark = out.good if answer.good else out.bad
    parts = [f"{delivery.execution_id}  {mark(answer.words)}"]
    parts += [] if intact else ["(signed again)"]
    parts += [f"outcome: {reported}"] if reported else []
    out.show(told, "  ".join(parts), id_of="execution_id")
