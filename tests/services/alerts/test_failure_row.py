"""What counts as a failure, and in a row (contract §9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.events.base import Event, VerificationMode
from libs.events.execution_events import OutcomeVerified, VerificationFailed, VerificationRequested
from services.alerts.rules.failures import FailureRow, Verdict, failure_row, verdict
from tests.services.dispatcher.examples import BLOCKED, NOON, STAGES, WEBHOOK, reported
from tests.services.scheduler.deciding import given

FAILURE, RESET, NEUTRAL = Verdict.FAILURE, Verdict.RESET, Verdict.NEUTRAL
NEEDS_ID = VerificationMode.REQUIRE_EXTERNAL_ID
MISSING = VerificationFailed(at=NOON, missing="external_id")
REJECTED = VerificationFailed(at=NOON, by="person")

CASES: dict[str, tuple[tuple[Event, ...], Verdict]] = {
    **{
        name: (STAGES[name], expected)
        for name, expected in {
            "pending": NEUTRAL,
            "delivering": NEUTRAL,
            "retrying": NEUTRAL,
            "lost": NEUTRAL,
            "success": NEUTRAL,
            "answered": NEUTRAL,
            "reported": RESET,
            "reported failure": FAILURE,
            "reported early": RESET,
            "failed": FAILURE,
            "failed and reported": FAILURE,
            "blocked": NEUTRAL,
            "outcome_timeout": RESET,
            "cancelled": NEUTRAL,
            "worker pending": NEUTRAL,
            "worker pending again": NEUTRAL,
            "claimed": NEUTRAL,
            "worker success": RESET,
            "worker failure": FAILURE,
            "worker failed": FAILURE,
            "missed": NEUTRAL,
            "worker timeout": RESET,
        }.items()
    },
    "blocked, then a failure was reported": ((BLOCKED, reported(success=False)), FAILURE),
    "blocked, then a success was reported": ((BLOCKED, reported()), RESET),
    "failed, then a success was reported": ((*STAGES["failed"], reported()), RESET),
    "missed, then a failure was reported": ((*STAGES["missed"], reported(success=False)), FAILURE),
    "verified": ((WEBHOOK, reported(mode=NEEDS_ID), OutcomeVerified(at=NOON)), RESET),
    "evidence missing": ((WEBHOOK, reported(mode=NEEDS_ID), MISSING), FAILURE),
    "rejected": ((WEBHOOK, reported(), REJECTED), FAILURE),
    "to be judged": ((WEBHOOK, reported(), VerificationRequested(at=NOON)), RESET),
}


@pytest.mark.parametrize("name", CASES)
def test_how_an_execution_counts(name: str) -> None:
    past, expected = CASES[name]
    assert verdict(given(*past).state) is expected


def test_every_stage_is_judged() -> None:
    assert set(STAGES) <= set(CASES)


EXAMPLES = {
    FAILURE: given(*STAGES["failed"]).state,
    RESET: given(*STAGES["reported"]).state,
    NEUTRAL: given(*STAGES["missed"]).state,
}


def history(newest_first: Sequence[Verdict]) -> list[Any]:
    """Make executions that count so; the oldest is named 0."""
    last = len(newest_first) - 1
    return [
        replace(EXAMPLES[one], facts=replace(EXAMPLES[one].facts, id=str(last - place)))
        for place, one in enumerate(newest_first)
    ]


def latest_row(newest_first: Sequence[Verdict]) -> list[str]:
    """Name the failures in the row that these end with, if they end with one."""
    made = history(newest_first)
    newest = next((e.facts.id for e in made if verdict(e) is not NEUTRAL), "none")
    return list(failure_row(made, newest).ids)


@pytest.mark.parametrize(
    ("newest_first", "row"),
    [
        ([], []),
        ([FAILURE], ["0"]),
        ([RESET], []),
        ([NEUTRAL], []),
        ([FAILURE, FAILURE, FAILURE], ["2", "1", "0"]),
        ([FAILURE, RESET, FAILURE], ["2"]),
        ([RESET, FAILURE, FAILURE], []),
        ([FAILURE, NEUTRAL, FAILURE], ["2", "0"]),
        ([NEUTRAL, FAILURE, NEUTRAL, NEUTRAL, FAILURE, RESET], ["4", "1"]),
    ],
)
def test_a_row_reaches_back_to_the_last_reset(newest_first: list[Verdict], row: list[str]) -> None:
    assert latest_row(newest_first) == row


@for_all(st.lists(st.sampled_from(list(Verdict)), max_size=30))
def test_a_row_is_the_failures_after_the_last_reset(verdicts: list[Verdict]) -> None:
    until = verdicts.index(RESET) if RESET in verdicts else len(verdicts)
    last = len(verdicts) - 1
    expected = [str(last - n) for n, one in enumerate(verdicts[:until]) if one is FAILURE]
    assert latest_row(verdicts) == expected


def test_any_failure_names_the_row_that_it_is_in() -> None:
    made = history([FAILURE, NEUTRAL, FAILURE, RESET, NEUTRAL, FAILURE, FAILURE, RESET, FAILURE])
    expected = {"8": ("8", "6"), "6": ("8", "6"), "3": ("3", "2"), "2": ("3", "2"), "0": ("0",)}
    for name, row in expected.items():
        assert failure_row(made, name) == FailureRow(ids=row)
    assert failure_row(made, "5") == FailureRow()


def test_a_row_is_whole_when_its_start_is_in_sight() -> None:
    for past, whole in (
        ([FAILURE] * 9, True),
        ([FAILURE] * 9 + [RESET], True),
        ([FAILURE] * 10, False),
    ):
        assert failure_row(history(past), str(len(past) - 1), sought=10).whole is whole
    assert failure_row(history([FAILURE] * 10), "gone", sought=10) == FailureRow(whole=False)
