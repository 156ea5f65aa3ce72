"""What counts as a failure, and which of them form a row. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from libs.events.base import Value
from libs.events.execution_rows import (
    outcome_state,
)
from libs.events.executions import Execution, Failed

HISTORY = 300
"""Among how many executions a row is sought at most: three times the largest threshold."""


class Verdict(Enum):
    """How an execution counts in its cue's row of failures."""

    FAILURE = "failure"
    RESET = "reset"
    NEUTRAL = "neutral"


class FailureRow(Value):
    """Failures without a reset between them, newest first; `whole` if its start was seen."""

    ids: tuple[str, ...] = ()
    whole: bool = True


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


def failure_row(
    newest_first: Sequence[Execution], execution_id: str, sought: int = HISTORY
) -> FailureRow:
    """Give the row that an execution belongs to, among its cue's latest `sought` executions.

    It need not be the row that they end with: news of a failure may come late.
    """
    row: list[str] = []
    for execution in newest_first:
        match verdict(execution):
            case Verdict.FAILURE:
                row.append(execution.facts.id)
            case Verdict.RESET if execution_id in row:
                return FailureRow(ids=tuple(row))
            case Verdict.RESET:
                row = []
            case Verdict.NEUTRAL:
                continue
    ids = tuple(row) if execution_id in row else ()
    return FailureRow(ids=ids, whole=len(newest_first) < sought)
