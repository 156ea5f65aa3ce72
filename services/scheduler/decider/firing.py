"""What becomes of a fire, a replay, and a cue that is due. Pure (contract §5, nr 6, 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.events.base import Reference, Rejection, Transport, Value
from libs.events.cues import (
    ActiveCue,
    Cue,
    CueCompleted,
    CueEvent,
    CueFailed,
    CueUpdated,
    DeletedCue,
    FailedCue,
    FireCue,
    ReplayExecution,
    SlotsSkipped,
)
from libs.events.execution_events import ExecutionScheduled
from libs.events.execution_rows import (
    TERMINAL,
    status,
)
from libs.events.executions import Execution
from libs.schedules.due import Due
from services.scheduler.decider.limits import (
    Account,
    counted,
    cue_not_found,
    execution_limit,
    over_limit,
)
from services.scheduler.rules import due_slots


class Fired(Value):
    """The executions that a cue's slots became, and the slots that became none."""

    executions: tuple[ExecutionScheduled, ...] = ()
    events: tuple[CueEvent, ...] = ()


def fire_cue(
    command: FireCue,
    cue: Cue | None,
    account: Account,
    now: datetime,
    unclaimed: timedelta,
    traceparent: str | None = None,
) -> ExecutionScheduled | Rejection:
    """Make one execution of a cue in any status, now or at `send_at` (contract nr 6)."""
    if cue is None or isinstance(cue, DeletedCue):
        return cue_not_found(command.cue_id)
    if over_limit(account, now):
        return execution_limit(account)
    due_at = max(now, command.send_at) if command.send_at else now
    return _scheduled(
        cue,
        account,
        now,
        unclaimed,
        execution_id=command.execution_id,
        traceparent=traceparent,
        scheduled_for=due_at,
        triggered_by="manual_fire",
        payload=command.payload if command.payload is not None else cue.facts.settings.payload,
    )


def replay_execution(
    command: ReplayExecution,
    execution: Execution | None,
    cue: Cue | None,
    account: Account,
    now: datetime,
    unclaimed: timedelta,
    traceparent: str | None = None,
) -> ExecutionScheduled | Rejection:
    """Make a new execution from an ended one (contract nr 11)."""
    if execution is None or cue is None or isinstance(cue, DeletedCue):
        message = f"no execution {command.replayed_id} in this account"
        return Rejection(code="execution_not_found", message=message)
    if status(execution) not in TERMINAL:
        message = f"the execution is {status(execution)}; only an ended one can be replayed"
        return Rejection(code="execution_in_flight", message=message)
    if over_limit(account, now):
        return execution_limit(account)
    return _scheduled(
        cue,
        account,
        now,
        unclaimed,
        execution_id=command.execution_id,
        traceparent=traceparent,
        scheduled_for=now,
        triggered_by="replay",
        payload=execution.facts.payload,
        replayed_from=command.replayed_id,
    )


def due_now(cue: Cue | None, now: datetime) -> Due | None:
    """Say what becomes of an active cue's due slots; None when nothing is due (any more)."""
    if not isinstance(cue, ActiveCue) or cue.next_run is None or cue.next_run > now:
        return None
    settings = cue.facts.settings
    return due_slots(settings.schedule, cue.next_run, now, settings.catch_up)


def fire_due(
    cue: ActiveCue,
    due: Due,
    ids: list[tuple[str, str]],
    account: Account,
    now: datetime,
    unclaimed: timedelta,
) -> Fired:
    """Make the executions of due slots, and record the slots without one.

    `ids` holds an execution id and a traceparent for each.
    """
    executions: list[ExecutionScheduled] = []
    for fire, (execution_id, traceparent) in zip(due.fires, ids, strict=True):
        blocked = "execution_limit_exceeded: the month's executions are used up"
        event = _scheduled(
            cue,
            account,
            now,
            unclaimed,
            execution_id=execution_id,
            traceparent=traceparent,
            scheduled_for=fire.scheduled_for,
            triggered_by=fire.triggered_by,
            payload=cue.facts.settings.payload,
            next_run=due.next_run,
            blocked=blocked if over_limit(account, now) else None,
        )
        executions.append(event)
        account = counted(account, event)
    skipped: list[CueEvent] = [
        SlotsSkipped(
            at=now,
            first=skip.first,
            last=skip.last,
            count=skip.count,
            reason=skip.reason,
            next_run=due.next_run,
        )
        for skip in due.skips
    ]
    if cue.facts.settings.schedule.at is not None and not due.fires:
        skipped.append(CueFailed(at=now))
    if not executions and not skipped:
        # The zone's rules are others than when `next_run` was computed: it is no slot any more.
        moved = CueUpdated(at=now, settings=cue.facts.settings, next_run=due.next_run)
        skipped.append(moved)
    return Fired(executions=tuple(executions), events=tuple(skipped))


def settle_once(cue: Cue | None, execution: Execution | None, now: datetime) -> list[CueEvent]:
    """End a `once` cue when its scheduled execution has ended (contract §4)."""
    if cue is None or execution is None or cue.facts.scheduled_id != execution.facts.id:
        return []
    ended = status(execution)
    match cue:
        case ActiveCue() | FailedCue() if ended == "success":
            return [CueCompleted(at=now, execution_id=execution.facts.id)]
        case ActiveCue() if ended in ("failed", "missed") or _worker_timed_out(execution):
            return [CueFailed(at=now, execution_id=execution.facts.id)]
        case ActiveCue() if ended == "outcome_timeout":
            return [CueCompleted(at=now, execution_id=execution.facts.id)]
        case _:
            return []


def _worker_timed_out(execution: Execution) -> bool:
    worker = execution.facts.transport is Transport.WORKER
    return worker and status(execution) == "outcome_timeout"


def _scheduled(
    cue: Cue,
    account: Account,
    now: datetime,
    unclaimed: timedelta,
    *,
    execution_id: str,
    traceparent: str | None,
    scheduled_for: datetime,
    triggered_by: str,
    payload: Reference,
    replayed_from: str | None = None,
    next_run: datetime | None = None,
    blocked: str | None = None,
) -> ExecutionScheduled:
    settings = cue.facts.settings
    due_at = max(now, scheduled_for)
    plan = account.plan
    reached = plan is not None and account.executions + 1 >= plan.executions_per_month
    return ExecutionScheduled(
        at=now,
        execution_id=execution_id,
        account_id=cue.facts.account_id,
        cue_id=cue.facts.id,
        transport=settings.transport,
        traceparent=traceparent,
        scheduled_for=scheduled_for,
        due_at=due_at,
        triggered_by=triggered_by,
        payload=payload,
        replayed_from=replayed_from,
        expires_at=due_at + unclaimed if settings.transport is Transport.WORKER else None,
        next_run=next_run,
        blocked=blocked,
        starts_grace=reached and account.grace_started_at is None and blocked is None,
    )
