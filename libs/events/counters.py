"""What is counted beside the streams: usage and outcomes by account and month, activity by cue.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

from libs.events.base import Event, Transport, Value
from libs.events.execution_events import ExecutionScheduled
from libs.events.execution_rows import (
    status,
)
from libs.events.executions import Execution


class Activity(Value):
    """What one event of an execution adds to its cue: runs made, and when it last ended."""

    cue_id: str
    account_id: str
    runs: int
    ended_at: datetime | None


class Usage(Value):
    """What one account made in one UTC month, and when it reached its plan's limit."""

    account_id: str
    period: date
    executions: int
    grace_started_at: datetime | None = None


class Outcomes(Value):
    """What one step of an execution adds to the outcomes of the UTC month in which it was made.

    `unreported` ended as failed or missed without an outcome; a late outcome takes it back.
    """

    account_id: str
    period: date
    succeeded: int = 0
    failed: int = 0
    unreported: int = 0


End = Literal["succeeded", "failed", "unreported"]


def usage(events: Iterable[tuple[str, Event]]) -> list[Usage]:
    """Count executions by account and first day of the UTC month; blocked ones do not count.

    Sorted, so that row locks are always taken in one order.
    """
    counts: dict[tuple[str, date], tuple[int, datetime | None]] = {}
    for account_id, event in events:
        if isinstance(event, ExecutionScheduled) and event.blocked is None:
            month = (account_id, event.at.date().replace(day=1))
            count, grace = counts.get(month, (0, None))
            counts[month] = (count + 1, earliest(grace, event.at if event.starts_grace else None))
    return [
        Usage(account_id=account_id, period=period, executions=count, grace_started_at=grace)
        for (account_id, period), (count, grace) in sorted(counts.items())
    ]


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Of two instants the first, so that it does not matter in which order they are told."""
    return min((at for at in (one, other) if at is not None), default=None)


def activity(before: Execution | None, after: Execution) -> Activity | None:
    """What this step says about the cue (contract §2, `run_count` and `last_run`).

    A webhook's run is an attempt that ended, a worker's is an outcome that was reported.
    """
    facts, was = after.facts, before.facts if before else None
    if facts.transport is Transport.WORKER:
        runs = int(facts.outcome is not None and (was is None or was.outcome is None))
    else:
        runs = facts.attempts_ended - (was.attempts_ended if was else 0)
    now = status(after)
    became = now in ("success", "failed", "missed") and (before is None or status(before) != now)
    if not runs and not became:
        return None
    return Activity(
        cue_id=facts.cue_id,
        account_id=facts.account_id,
        runs=runs,
        ended_at=facts.updated_at if became else None,
    )


def outcomes(before: Execution | None, after: Execution) -> Outcomes | None:
    """What this step says about the month's outcomes (contract nr 39)."""
    was, now = _end(before) if before else None, _end(after)
    if was == now:
        return None
    steps = {end: step for end, step in ((was, -1), (now, 1)) if end is not None}
    facts = after.facts
    period = facts.created_at.date().replace(day=1)
    return Outcomes(account_id=facts.account_id, period=period, **steps)


def _end(execution: Execution) -> End | None:
    outcome = execution.facts.outcome
    if outcome is not None:
        return "succeeded" if outcome.report.success else "failed"
    return "unreported" if status(execution) in ("failed", "missed") else None


def outcome_rows(parts: Iterable[Outcomes]) -> list[dict[str, Any]]:
    """Sum outcomes by account and month, sorted, so that locks are always taken in one order."""
    rows: dict[tuple[str, date], dict[str, Any]] = {}
    for part in parts:
        name = {"account_id": part.account_id, "period": part.period}
        row = rows.setdefault(
            (part.account_id, part.period), {**name, "succeeded": 0, "failed": 0, "unreported": 0}
        )
        row["succeeded"] += part.succeeded
        row["failed"] += part.failed
        row["unreported"] += part.unreported
    return [rows[name] for name in sorted(rows)]


def activity_rows(parts: Iterable[Activity]) -> list[dict[str, Any]]:
    """Sum activities by cue, sorted by cue so that row locks are always taken in one order."""
    rows: dict[str, dict[str, Any]] = {}
    for part in parts:
        row = rows.setdefault(
            part.cue_id,
            {
                "cue_id": part.cue_id,
                "account_id": part.account_id,
                "run_count": 0,
                "last_run": None,
            },
        )
        row["run_count"] += part.runs
        if part.ended_at and (row["last_run"] is None or part.ended_at > row["last_run"]):
            row["last_run"] = part.ended_at
    return [rows[cue_id] for cue_id in sorted(rows)]


def usage_rows(counts: Iterable[Usage]) -> list[dict[str, Any]]:
    """Give usage as rows."""
    return [
        {
            "account_id": count.account_id,
            "period": count.period,
            "executions": count.executions,
            "grace_started_at": count.grace_started_at,
        }
        for count in counts
    ]
