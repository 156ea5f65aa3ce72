"""`executions …`: what ran, and the pulled ones: claim, heartbeat, report."""

from __future__ import annotations

from typing import Annotated

import typer

from cueapi_cli.commands.fields import ExecutionId, Limit, OfCue, Offset, Status, WorkerId
from cueapi_cli.commands.past import replayed
from cueapi_cli.failures import FAILED, USAGE, Failure
from cueapi_cli.inputs import instant_of, json_of, object_of
from cueapi_cli.session import session_of

app = typer.Typer()
executions = typer.Typer(help="List, claim, report and verify executions.", no_args_is_help=True)
app.add_typer(executions, name="executions")


@executions.command("list")
def list_executions(
    ctx: typer.Context,
    cue_id: OfCue = None,
    status: Status = None,
    limit: Limit = 20,
    offset: Offset = 0,
    outcome_state: Annotated[str | None, typer.Option("--outcome-state")] = None,
    result_type: Annotated[str | None, typer.Option("--result-type")] = None,
    has_evidence: Annotated[
        bool | None, typer.Option("--has-evidence/--no-evidence", show_default=False)
    ] = None,
    triggered_by: Annotated[str | None, typer.Option("--triggered-by")] = None,
    since: Annotated[str | None, typer.Option("--since", help="RFC 3339, or 10m")] = None,
) -> None:
    """List executions, newest first."""
    session = session_of(ctx)
    wanted = {
        "cue_id": cue_id,
        "status": status,
        "limit": limit,
        "offset": offset,
        "outcome_state": outcome_state,
        "result_type": result_type,
        "has_evidence": has_evidence,
        "triggered_by": triggered_by,
        "since": instant_of("--since", since),
    }
    page = session.client.request("GET", "/v1/executions", params=wanted)
    session.output.table(
        page,
        page["executions"],
        {
            "id": lambda run: run["id"],
            "cue": lambda run: run["cue_id"],
            "status": lambda run: run["status"],
            "scheduled for": lambda run: run["scheduled_for"],
            "outcome": lambda run: run["outcome_state"],
        },
        foot=f"{len(page['executions'])} of {page['total']}",
    )


@executions.command("list-claimable")
def list_claimable(
    ctx: typer.Context,
    task: Annotated[str | None, typer.Option("--task")] = None,
    agent: Annotated[str | None, typer.Option("--agent")] = None,
) -> None:
    """List what a worker may claim now, oldest first."""
    session = session_of(ctx)
    page = session.client.executions.list_claimable(task=task, agent=agent).to_dict()
    session.output.table(
        page,
        page["executions"],
        {
            "execution": lambda run: run["execution_id"],
            "cue": lambda run: run["cue_name"],
            "task": lambda run: run["task"],
            "scheduled for": lambda run: run["scheduled_for"],
            "attempt": lambda run: run["attempt"],
        },
        id_of="execution_id",
        empty="Nothing to claim.",
    )


@executions.command("get")
def get_execution(ctx: typer.Context, execution_id: ExecutionId) -> None:
    """Show an execution."""
    session = session_of(ctx)
    run = session.client.executions.get(execution_id).to_dict()
    names = {
        "Id": "id",
        "Cue": "cue_id",
        "Status": "status",
        "Scheduled for": "scheduled_for",
        "Started": "started_at",
        "Worker": "claimed_by_worker",
        "Attempts": "attempts",
        "HTTP status": "http_status",
        "Error": "error_message",
        "Outcome": "outcome_state",
    }
    lines = [f"{label}: {run[name]}" for label, name in names.items() if run.get(name) is not None]
    session.output.show(run, *lines)


@executions.command()
def claim(ctx: typer.Context, execution_id: ExecutionId, worker_id: WorkerId) -> None:
    """Claim an execution."""
    session = session_of(ctx)
    held = session.client.executions.claim(execution_id, worker_id=worker_id).to_dict()
    _claimed(ctx, held)


@executions.command("claim-next")
def claim_next(
    ctx: typer.Context,
    worker_id: WorkerId,
    task: Annotated[str | None, typer.Option("--task")] = None,
    wait: Annotated[int | None, typer.Option("--wait", help="seconds to wait, at most 30")] = None,
) -> None:
    """Claim the oldest execution that there is."""
    held = session_of(ctx).client.executions.claim_next(
        worker_id=worker_id, task=task, wait_seconds=wait
    )
    _claimed(ctx, held.to_dict())


@executions.command()
def heartbeat(ctx: typer.Context, execution_id: ExecutionId, worker_id: WorkerId) -> None:
    """Keep a claimed execution."""
    session = session_of(ctx)
    lease = session.client.executions.heartbeat(execution_id, worker_id=worker_id).to_dict()
    line = f"Lease extended until: {lease['lease_extended_until']}"
    session.output.show(lease, session.output.good(line), id_of="execution_id")


@executions.command("report-outcome")
def report_outcome(
    ctx: typer.Context,
    execution_id: ExecutionId,
    success: Annotated[bool, typer.Option("--success/--failure", show_default=False)],
    result: Annotated[str | None, typer.Option("--result")] = None,
    error: Annotated[str | None, typer.Option("--error")] = None,
    external_id: Annotated[str | None, typer.Option("--external-id")] = None,
    result_url: Annotated[str | None, typer.Option("--result-url")] = None,
    result_type: Annotated[str | None, typer.Option("--result-type")] = None,
    summary: Annotated[str | None, typer.Option("--summary")] = None,
    artifacts: Annotated[str | None, typer.Option("--artifacts", help="a JSON list")] = None,
    metadata: Annotated[str | None, typer.Option("--metadata", help="a JSON object")] = None,
) -> None:
    """Report how an execution went; the first report stands."""
    listed = json_of("--artifacts", artifacts)
    if listed is not None and not isinstance(listed, list):
        raise Failure("--artifacts must be a JSON list", code=USAGE)
    session = session_of(ctx)
    told = session.client.executions.report_outcome(
        execution_id,
        success=success,
        result=result,
        error=error,
        external_id=external_id,
        result_url=result_url,
        result_type=result_type,
        summary=summary,
        artifacts=listed,
        metadata=object_of("--metadata", metadata),
    ).to_dict()
    lines = [session.output.good(f"Outcome recorded: {told['outcome_state']}")]
    lines += [f"Not verified: {told['reason']}"] if told.get("reason") else []
    session.output.show(told, *lines, id_of="execution_id")


@executions.command()
def verify(
    ctx: typer.Context,
    execution_id: ExecutionId,
    valid: Annotated[bool, typer.Option("--valid/--invalid")] = True,
    reason: Annotated[str | None, typer.Option("--reason")] = None,
) -> None:
    """Judge a recorded outcome."""
    session = session_of(ctx)
    told = session.client.executions.mark_verified(execution_id, valid=valid, reason=reason)
    line = f"Judged: {told['outcome_state']}"
    session.output.show(told.to_dict(), session.output.good(line), id_of="execution_id")


@executions.command("verification-pending")
def verification_pending(ctx: typer.Context, execution_id: ExecutionId) -> None:
    """Ask for a judgement by hand."""
    session = session_of(ctx)
    told = session.client.executions.mark_verification_pending(execution_id)
    line = f"Awaits judgement: {execution_id}"
    session.output.show(told.to_dict(), session.output.good(line), id_of="execution_id")


@executions.command()
def replay(ctx: typer.Context, execution_id: ExecutionId) -> None:
    """Run an ended execution again."""
    replayed(session_of(ctx), execution_id)


@executions.command()
def timeline(ctx: typer.Context, execution_id: ExecutionId) -> None:
    """Tell everything that happened to an execution."""
    session = session_of(ctx)
    told = session.client.executions.timeline(execution_id).to_dict()
    lines = (f"{each['at']}  {each['type']:<22} {each['summary']}" for each in told["events"])
    session.output.show(told, *lines, id_of="execution_id")


@executions.command()
def attempts(ctx: typer.Context, execution_id: ExecutionId) -> None:
    """Show each attempt to deliver an execution, and what was answered."""
    session = session_of(ctx)
    told = session.client.executions.attempts(execution_id).to_dict()
    session.output.table(
        told,
        told["attempts"],
        {
            "attempt": lambda each: each["attempt"],
            "result": lambda each: each["result"],
            "http": lambda each: each["http_status"],
            "started": lambda each: each["started_at"],
            "error": lambda each: each["error_message"],
        },
        id_of="attempt",
        empty="No attempt yet.",
    )


def _claimed(ctx: typer.Context, held: dict[str, object]) -> None:
    out = session_of(ctx).output
    if not held.get("claimed", True):
        raise typer.Exit(FAILED)
    lines = (out.good(f"Claimed: {held['execution_id']}"), f"Lease: {held['lease_seconds']} s")
    out.show(held, *lines, id_of="execution_id")
