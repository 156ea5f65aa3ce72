"""Judging by hand (nr 13, nr 14)."""

from __future__ import annotations

import pytest

from libs.events.base import Event, VerificationMode
from libs.events.execution_commands import RequestVerification, VerifyOutcome
from libs.events.execution_events import OutcomeVerified, VerificationFailed, VerificationRequested
from services.outcomes.decider import request_verification, verify_outcome
from tests.services.dispatcher.examples import NOON, SECOND, WEBHOOK, reported
from tests.services.scheduler.deciding import Decided, events_of, given, refused
from tests.services.scheduler.examples import ACCOUNT_ID, EXECUTION_ID

NOW = NOON + 30 * SECOND
MANUAL = (
    WEBHOOK,
    reported(mode=VerificationMode.MANUAL),
    VerificationRequested(at=NOON),
)
REPORTED = (WEBHOOK, reported())
REJECTED = (*REPORTED, VerificationFailed(at=NOON, by="person", reason="wrong file"))


def when_judged(*past: Event, valid: bool, reason: str | None = None) -> Decided:
    command = VerifyOutcome(
        account_id=ACCOUNT_ID, execution_id=EXECUTION_ID, valid=valid, reason=reason
    )
    return given(*past).when(lambda e: verify_outcome(e, command, NOW))


def when_asked(*past: Event) -> Decided:
    command = RequestVerification(account_id=ACCOUNT_ID, execution_id=EXECUTION_ID)
    return given(*past).when(lambda e: request_verification(e, command, NOW))


@pytest.mark.parametrize(
    "past", [REPORTED, (WEBHOOK, reported(success=False)), MANUAL], ids=["success", "failure", "?"]
)
def test_a_person_judges_what_was_reported(past: tuple[Event, ...]) -> None:
    when_judged(*past, valid=True).then(OutcomeVerified(at=NOW, by="person"))
    when_judged(*past, valid=False, reason="wrong file").then(
        VerificationFailed(at=NOW, by="person", reason="wrong file")
    )


def test_a_verdict_leaves_the_validation_by_policy() -> None:
    for past in (REPORTED, MANUAL):
        for valid in (True, False):
            after = given(*past, *events_of(when_judged(*past, valid=valid))).state
            assert after.facts.outcome.validation is None


def test_a_rejection_is_told_with_its_reason() -> None:
    outcome = given(*REJECTED).state.facts.outcome
    assert (outcome.state, outcome.rejection) == ("verification_failed", "wrong file")


def test_a_rejection_stays_until_a_judgement_is_asked_for_again() -> None:
    when_judged(*REJECTED, valid=True).then(refused("invalid_state"))
    asked = events_of(when_asked(*REJECTED))
    when_judged(*REJECTED, *asked, valid=True).then(OutcomeVerified(at=NOW, by="person"))


def test_what_is_verified_or_not_reported_cannot_be_judged() -> None:
    verified = (*REPORTED, OutcomeVerified(at=NOON))
    for past in (verified, REJECTED, (WEBHOOK,)):
        for valid in (True, False):
            when_judged(*past, valid=valid).then(refused("invalid_state"))
    when_judged(valid=True).then(refused("execution_not_found"))


def test_a_judgement_can_be_asked_for_of_any_recorded_outcome() -> None:
    verified = (*REPORTED, OutcomeVerified(at=NOON))
    for past in (REPORTED, (WEBHOOK, reported(success=False)), verified, REJECTED):
        when_asked(*past).then(VerificationRequested(at=NOW, by="person"))


def test_asking_twice_is_asking_once() -> None:
    when_asked(*MANUAL).then()
    asked = events_of(when_asked(*REPORTED))
    when_asked(*REPORTED, *asked).then()


def test_without_an_outcome_nothing_can_be_asked() -> None:
    when_asked(WEBHOOK).then(refused("no_outcome"))
    when_asked().then(refused("execution_not_found"))
