"""What counts as a failure, and how long a row of them is. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from libs.events.base import Value
from libs.events.execution_states import outcome_state
from libs.events.executions import Execution, Failed


class Verdict(Enum):
    """How an execution counts in its cue's row of failures."""

    FAILURE = "failure"
    RESET = "reset"
    NEUTRAL = "neutral"


class FailureRow(Value):
    """The failures since the row was last reset; `first_id` names its episode."""

    length: int
    first_id: str


def verdict(execution: Execution) -> Verdict:
    """Judge one execution. A webhook's ACK alone, and a missed one, neither add nor reset."""
    if isinstance(execution, Failed) and execution.blocked:
        return Verdict.NEUTRAL
    match outcome_state(execution.facts):
        case "reported_failure" | "verification_failed":
            return Verdict.FAILURE
        case "reported_success" | "verified_success" | "verification_pending" | "unknown":
            return Verdict.RESET
        case _:
            return Verdict.FAILURE if isinstance(execution, Failed) else Verdict.NEUTRAL


def failure_row(newest_first: Sequence[Execution]) -> FailureRow | None:
    """Give the row of failures that the newest executions form, or None if there is none."""
    row: FailureRow | None = None
    for execution in newest_first:
        match verdict(execution):
            case Verdict.FAILURE:
                row = FailureRow(length=row.length + 1 if row else 1, first_id=execution.facts.id)
            case Verdict.RESET:
                break
            case Verdict.NEUTRAL:
                continue
    return row
