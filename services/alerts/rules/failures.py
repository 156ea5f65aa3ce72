"""What counts as a failure, and which of them form a row. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from libs.events.base import Value
from libs.events.execution_states import outcome_state
from libs.events.executions import Execution, Failed

HISTORY = 300
"""Among how many executions a row is sought at most: three times the largest threshold."""


class Verdict(Enum):
    """How an execution counts in its cue's row of failures."""

    FAILURE = "failure"
    RESET = "reset"
    NEUTRAL = "neutral"


class FailureRow(Value):
    """The failures since the row was last reset, newest first; `whole` if its start was seen."""

    ids: tuple[str, ...]
    whole: bool


def verdict(execution: Execution) -> Verdict:
    """Judge one execution. A webhook's ACK alone, and a missed one, neither add nor reset."""
    match outcome_state(execution.facts):
        case "reported_failure" | "verification_failed":
            return Verdict.FAILURE
        case "reported_success" | "verified_success" | "verification_pending" | "unknown":
            return Verdict.RESET
        case _:
            failed = isinstance(execution, Failed) and not execution.blocked
            return Verdict.FAILURE if failed else Verdict.NEUTRAL


def first_look(threshold: int) -> int:
    """Among how many executions a row is sought at first: mostly enough, and quickly read."""
    return min(2 * threshold + 10, HISTORY)


def failure_row(newest_first: Sequence[Execution], sought: int = HISTORY) -> FailureRow:
    """Give the row that a cue's latest `sought` executions end with."""
    row = []
    for execution in newest_first:
        match verdict(execution):
            case Verdict.FAILURE:
                row.append(execution.facts.id)
            case Verdict.RESET:
                return FailureRow(ids=tuple(row), whole=True)
            case Verdict.NEUTRAL:
                continue
    return FailureRow(ids=tuple(row), whole=len(newest_first) < sought)
