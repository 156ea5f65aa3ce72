"""Outcomes found in answers, and silence past the deadline (contract §4, §6, §8)."""

from __future__ import annotations

from datetime import datetime

import pytest

from libs.events.base import Event, VerificationMode
from libs.events.execution_events import (
    LeaseExtended,
    OutcomeDeadlinePassed,
    OutcomeReported,
    OutcomeVerified,
    VerificationFailed,
)
from libs.events.execution_rows import (
    outcome_due_at,
    outcome_state,
    status,
)
from libs.events.executions import Report
from services.outcomes.decider import due
from tests.services.dispatcher.examples import (
    FOR_WORKER,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    STAGES,
    WEBHOOK,
    acknowledged,
    claimed,
    reported,
    started,
)
from tests.services.scheduler.deciding import Decided, events_of, given

NONE = VerificationMode.NONE
NEEDS_ID = VerificationMode.REQUIRE_EXTERNAL_ID
DEADLINE = NOON + SECOND + 5 * MINUTE
DELIVERED = (WEBHOOK, started(), acknowledged())


def when_due(*past: Event, now: datetime, mode: VerificationMode = NONE) -> Decided:
    return given(*past).when(lambda execution: due(execution, mode, now))


@pytest.mark.parametrize("success", [True, False])
def test_an_outcome_in_the_answer_goes_on_record_at_once(success: bool) -> None:
    report = Report(success=success, evidence=("external_id",))
    past = (WEBHOOK, started(), acknowledged(report=report))
    assert outcome_due_at(given(*past).state) == NOON + SECOND
    recorded = OutcomeReported(at=NOON + SECOND, report=report, source="response", mode=NONE)
    when_due(*past, now=NOON + SECOND).then(recorded)


def test_an_outcome_in_the_answer_is_verified_like_any_other() -> None:
    for evidence, verdict in (
        (("external_id",), OutcomeVerified(at=NOON + SECOND)),
        ((), VerificationFailed(at=NOON + SECOND, missing="external_id")),
    ):
        report = Report(success=True, evidence=evidence)
        past = (WEBHOOK, started(), acknowledged(report=report))
        when_due(*past, now=NOON + SECOND, mode=NEEDS_ID).then(
            OutcomeReported(at=NOON + SECOND, report=report, source="response", mode=NEEDS_ID),
            verdict,
        )


def test_an_outcome_reported_meanwhile_stands() -> None:
    answered = acknowledged(report=Report(success=True))
    past = (WEBHOOK, started(), answered, reported(success=False))
    when_due(*past, now=NOON + HOUR).then()


def test_the_deadline_turns_silence_into_a_timeout() -> None:
    when_due(*DELIVERED, now=DEADLINE - SECOND / 1_000_000).then()
    decided = when_due(*DELIVERED, now=DEADLINE)
    decided.then(OutcomeDeadlinePassed(at=DEADLINE))
    silent = given(*DELIVERED, *events_of(decided)).state
    assert (status(silent), outcome_state(silent.facts)) == ("outcome_timeout", "unknown")
    assert outcome_due_at(silent) is None


def test_a_claim_ends_after_24_hours_whatever_its_heartbeats() -> None:
    cap = NOON + 24 * HOUR
    beaten = LeaseExtended(at=cap - SECOND, epoch=1, lease_until=cap + HOUR)
    for past in ((FOR_WORKER, claimed()), (FOR_WORKER, claimed(), beaten)):
        when_due(*past, now=cap - SECOND).then()
        decided = when_due(*past, now=cap)
        decided.then(OutcomeDeadlinePassed(at=cap))
        assert status(given(*past, *events_of(decided)).state) == "outcome_timeout"


WAITING = ("success", "answered", "claimed")


@pytest.mark.parametrize("stage", [name for name in STAGES if name not in WAITING])
def test_nothing_else_waits_for_an_outcome(stage: str) -> None:
    assert outcome_due_at(given(*STAGES[stage]).state) is None
    when_due(*STAGES[stage], now=NOON + 48 * HOUR).then()
