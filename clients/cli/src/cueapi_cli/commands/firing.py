"""`fire` and `test`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cueapi_cli.commands.fields import CueId, ExitCriteria
from cueapi_cli.failures import FAILED, Failure
from cueapi_cli.inputs import instant_of, object_of
from cueapi_cli.session import Session, session_of

app = typer.Typer()

ENDED = frozenset({"success", "failed", "missed", "outcome_timeout"})
_LOOK_SECONDS = (0.3, 0.5, 1.0)
TIMED_OUT = "still running"


@app.command()
def fire(
    ctx: typer.Context,
    cue_id: CueId,
    payload_override: Annotated[
        str | None, typer.Option("--payload-override", "--payload", help="JSON, @file, -")
    ] = None,
    merge_strategy: Annotated[
        str | None, typer.Option("--merge-strategy", help="merge or replace")
    ] = None,
    send_at: Annotated[str | None, typer.Option("--send-at", help="RFC 3339, or +10m")] = None,
    idempotency_key: Annotated[str | None, typer.Option("--idempotency-key")] = None,
    _exit_criteria: ExitCriteria = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="until it has ended; exit 1 if not well")
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", help="seconds to wait at most")] = 3600.0,
) -> None:
    """Run a cue now, whatever its schedule says."""
    session = session_of(ctx)
    fired = session.client.cues.fire(
        cue_id,
        payload_override=object_of("--payload-override", payload_override),
        merge_strategy=merge_strategy,
        send_at=instant_of("--send-at", send_at),
        idempotency_key=idempotency_key,
    ).to_dict()
    out = session.output
    if not wait:
        lines = (out.good(f"Fired: {fired['id']}"), f"Scheduled for: {fired['scheduled_for']}")
        out.show(fired, *lines)
        return
    out.note(out.good(f"Fired: {fired['id']}"))
    with out.busy(f"Waiting for {fired['id']}"):
        ended = awaited(session, fired["id"], timeout)
    out.show(ended, *verdict(ended, session))
    if not went_well(ended):
        raise typer.Exit(FAILED)


@app.command()
def test(ctx: typer.Context, cue_id: CueId) -> None:
    """Send one signed test delivery to a cue's callback now; makes no execution."""
    session = session_of(ctx)
    told = session.client.cues.test(cue_id).to_dict()
    out, answer = session.output, told["response"]
    delivered = told["result"] == "delivered"
    said = f"{answer['status']}" if answer else f"{told['error']}: {told['error_message']}"
    mark = out.good if delivered else out.bad
    lines = [
        f"Sent: {told['request']['method']} {told['request']['url']}",
        mark(f"Answered: {said} in {told['duration_ms']} ms"),
    ]
    lines += [answer["body"]] if answer and answer["body"] else []
    out.show(told, *lines, id_of="cue_id")
    if not delivered:
        raise typer.Exit(FAILED)


def awaited(session: Session, execution_id: str, timeout: float) -> dict[str, Any]:
    """Wait until an execution has ended and, if it was delivered, has an outcome.

    Raises Failure after `timeout` seconds.
    """
    waits = list(_LOOK_SECONDS)
    waited = 0.0
    while True:
        execution = session.client.executions.get(execution_id).to_dict()
        if is_over(execution):
            return execution
        if waited >= timeout:
            hint = f"Look again: cueapi executions get {execution_id}"
            raise Failure(f"{execution_id} is {TIMED_OUT} after {timeout:g} s", hint)
        seconds = waits.pop(0) if len(waits) > 1 else waits[0]
        session.wait(seconds)
        waited += seconds


def is_over(execution: Mapping[str, Any]) -> bool:
    """Whether nothing more is to come; a delivered execution still owes its outcome."""
    if execution["outcome_state"] is not None:
        return True
    return execution["status"] in ENDED and execution.get("outcome_deadline_at") is None


def went_well(execution: Mapping[str, Any]) -> bool:
    """Whether the agent has succeeded, as far as it said."""
    if execution["outcome_state"] is not None:
        return bool(execution["outcome_success"])
    return bool(execution["status"] == "success")


def verdict(execution: Mapping[str, Any], session: Session) -> list[str]:
    """Tell in a few lines how an execution ended."""
    state = execution["outcome_state"] or execution["status"]
    outcome = execution.get("outcome") or {}
    said = outcome.get("error") or outcome.get("result") or execution.get("error_message")
    mark = session.output.good if went_well(execution) else session.output.bad
    return [mark(f"Ended: {state}"), *([str(said)] if said else [])]
