"""What counts as a failure, and which of them form a row. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum

from libs.events.execution_states import outcome_state
from libs.events.executions import Execution, Failed


class Verdict(Enum):
    """How an execution counts in its cue's row of failures."""

    FAILURE = "failure"
    RESET = "reset"
    NEUTRAL = "neutral"


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


def failure_row(newest_first: Sequence[Execution]) -> list[str]:
    """Name the failures since the row was last reset, newest first."""
    row = []
    for execution in newest_first:
        match verdict(execution):
            case Verdict.FAILURE:
                row.append(execution.facts.id)
            case Verdict.RESET:
                break
            case Verdict.NEUTRAL:
                continue
    return row


def episode_of(row: Sequence[str], acknowledged: Collection[str]) -> str:
    """Name the row's episode: its first failure, and a number once episodes of it were seen."""
    episode, number = row[-1], 1
    while episode in acknowledged:
        number += 1
        episode = f"{row[-1]}:{number}"
    return episode
