"""outcome_state of contract §4 as a table: from each state, by each event, to which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from libs.events.base import Event, Rejection, VerificationMode
from libs.events.execution_commands import RequestVerification, VerifyOutcome
from libs.events.execution_events import (
    OutcomeDeadlinePassed,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from libs.events.execution_rows import (
    outcome_state,
)
from libs.events.executions import Report
from services.outcomes.decider import (
    append_evidence,
    due,
    report_outcome,
    request_verification,
    verify_outcome,
)
from tests.services.dispatcher.examples import (
    FOR_WORKER,
    HOUR,
    NOON,
    WEBHOOK,
    acknowledged,
    claimed,
    reported,
    started,
)
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import ACCOUNT_ID, EXECUTION_ID

NOW = NOON + 48 * HOUR
NEEDS_ID = VerificationMode.REQUIRE_EXTERNAL_ID
DELIVERED = (WEBHOOK, started(), acknowledged())
MISSING = (*DELIVERED, reported(mode=NEEDS_ID), VerificationFailed(at=NOON, missing="external_id"))
VERIFIED = (*DELIVERED, reported(mode=NEEDS_ID), OutcomeVerified(at=NOON))

FROM: Mapping[str, tuple[str | None, tuple[Event, ...]]] = {
    "null": (None, DELIVERED),
    "null, of a worker": (None, (FOR_WORKER, claimed())),
    "unknown": ("unknown", (*DELIVERED, OutcomeDeadlinePassed(at=NOON))),
    "unknown, of a worker": (
        "unknown",
        (FOR_WORKER, claimed(), OutcomeDeadlinePassed(at=NOON)),
    ),
    "reported_success": ("reported_success", (*DELIVERED, reported())),
    "reported_failure": ("reported_failure", (*DELIVERED, reported(success=False))),
    "verified_success": ("verified_success", VERIFIED),
    "verification_pending": (
        "verification_pending",
        (
            *DELIVERED,
            reported(mode=VerificationMode.MANUAL),
            VerificationRequested(at=NOON),
        ),
    ),
    "evidence missing": ("verification_failed", MISSING),
    "pending after missing": (
        "verification_pending",
        (*MISSING, VerificationRequested(at=NOON, by="person")),
    ),
    "rejected": (
        "verification_failed",
        (*DELIVERED, reported(), VerificationFailed(at=NOON, by="person", reason="wrong file")),
    ),
    "rejected without a reason": (
        "verification_failed",
        (*DELIVERED, reported(mode=NEEDS_ID), VerificationFailed(at=NOON, by="person")),
    ),
}


def report(success: bool, mode: VerificationMode, *evidence: str) -> Callable[[Any], Any]:
    given_report = Report(success=success, evidence=evidence)
    return lambda e: report_outcome(e, given_report, mode, source="api", worker_id=None, now=NOW)


def verify(valid: bool) -> Callable[[Any], Any]:
    command = VerifyOutcome(account_id=ACCOUNT_ID, execution_id=EXECUTION_ID, valid=valid)
    return lambda e: verify_outcome(e, command, NOW)


ASKED = RequestVerification(account_id=ACCOUNT_ID, execution_id=EXECUTION_ID)

EVENTS: Mapping[str, Callable[[Any], Any]] = {
    "success": report(True, VerificationMode.NONE),
    "failure": report(False, NEEDS_ID, "external_id"),
    "backed success": report(True, NEEDS_ID, "external_id"),
    "unbacked success": report(True, NEEDS_ID, "result_url"),
    "success to judge": report(True, VerificationMode.MANUAL),
    "deadline": lambda e: due(e, VerificationMode.NONE, NOW),
    "the evidence asked for": lambda e: append_evidence(e, "a" * 64, ("external_id",), None, NOW),
    "other evidence": lambda e: append_evidence(e, "a" * 64, ("artifacts",), None, NOW),
    "valid": verify(True),
    "invalid": verify(False),
    "verification-pending": lambda e: request_verification(e, ASKED, NOW),
}

_FIRST = {
    "success": "reported_success",
    "failure": "reported_failure",
    "backed success": "verified_success",
    "unbacked success": "verification_failed",
    "success to judge": "verification_pending",
}
_JUDGEABLE = {
    "valid": "verified_success",
    "invalid": "verification_failed",
    "verification-pending": "verification_pending",
}
_ASKABLE = {"verification-pending": "verification_pending"}

TABLE: Mapping[str, Mapping[str, str]] = {
    "null": {**_FIRST, "deadline": "unknown"},
    "null, of a worker": {**_FIRST, "deadline": "unknown"},
    "unknown": _FIRST,
    "unknown, of a worker": _FIRST,
    "reported_success": _JUDGEABLE,
    "reported_failure": _JUDGEABLE,
    "verified_success": _ASKABLE,
    "verification_pending": _JUDGEABLE,
    "pending after missing": _JUDGEABLE,
    "evidence missing": {**_ASKABLE, "the evidence asked for": "verified_success"},
    "rejected": _ASKABLE,
    "rejected without a reason": _ASKABLE,
}
REFUSED: Mapping[str, str] = {
    "success": "outcome_already_recorded",
    "failure": "outcome_already_recorded",
    "backed success": "outcome_already_recorded",
    "unbacked success": "outcome_already_recorded",
    "success to judge": "outcome_already_recorded",
    "valid": "invalid_state",
    "invalid": "invalid_state",
}
WITHOUT_OUTCOME: Mapping[str, str] = {
    "the evidence asked for": "no_outcome",
    "other evidence": "no_outcome",
    "valid": "invalid_state",
    "invalid": "invalid_state",
    "verification-pending": "no_outcome",
}


@pytest.mark.parametrize("start", FROM)
def test_each_example_is_in_its_state(start: str) -> None:
    state, past = FROM[start]
    assert outcome_state(given(*past).state.facts) == state


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("start", FROM)
def test_from_each_state_by_each_event(start: str, event: str) -> None:
    state, past = FROM[start]
    verdict = EVENTS[event](given(*past).state)
    if isinstance(verdict, Rejection):
        recorded = state not in (None, "unknown")
        expected = REFUSED.get(event) if recorded else WITHOUT_OUTCOME.get(event)
        assert verdict.code == expected
        assert event not in TABLE[start]
        return
    after = outcome_state(given(*past, *verdict).state.facts)
    assert after == TABLE[start].get(event, state)


@pytest.mark.parametrize("start", FROM)
def test_the_status_and_the_reported_value_stay_when_an_outcome_is_judged(start: str) -> None:
    _, past = FROM[start]
    before = given(*past).state
    if before.facts.outcome is None:
        return
    for event, decide in EVENTS.items():
        verdict = decide(before)
        if not isinstance(verdict, Rejection):
            after = given(*past, *verdict).state
            assert type(after) is type(before), event
            assert after.facts.outcome.report.success == before.facts.outcome.report.success
