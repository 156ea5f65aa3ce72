"""Contract §8 is this module's table; and who may report, when, and once (nr 9)."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from libs.events.base import Event, VerificationMode
from libs.events.execution_events import (
    LeaseExtended,
    OutcomeReported,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from libs.events.execution_rows import (
    outcome_state,
    row,
    status,
)
from libs.events.executions import Claimed, Report
from services.outcomes.decider import report_outcome
from tests.services.dispatcher.examples import (
    FOR_WORKER,
    HOUR,
    LEASE_ENDED,
    NOON,
    SECOND,
    STAGES,
    WEBHOOK,
    WORKER,
    acknowledged,
    claimed,
    expired,
    started,
)
from tests.services.scheduler.deciding import Decided, events_of, given, refused

NOW = NOON + 10 * SECOND
DELIVERED = (WEBHOOK, started(), acknowledged())

ID, URL, ARTIFACTS = "external_id", "result_url", "artifacts"
NONE, MANUAL = VerificationMode.NONE, VerificationMode.MANUAL
NEEDS_ID = VerificationMode.REQUIRE_EXTERNAL_ID
NEEDS_URL = VerificationMode.REQUIRE_RESULT_URL
NEEDS_ARTIFACTS = VerificationMode.REQUIRE_ARTIFACTS
REQUIRED = {NEEDS_ID: ID, NEEDS_URL: URL, NEEDS_ARTIFACTS: ARTIFACTS}
EVIDENCE: list[tuple[str, ...]] = [
    (),
    (ID,),
    (URL,),
    (ARTIFACTS,),
    (ID, URL),
    (ID, ARTIFACTS),
    (URL, ARTIFACTS),
    (ID, URL, ARTIFACTS),
]


class Row(NamedTuple):
    """A row of §8: what the outcome's state, its validation and its reason become."""

    state: str
    validation: str | None = None
    reason: str | None = None


def row_of_contract_8(success: bool, mode: VerificationMode, evidence: tuple[str, ...]) -> Row:
    match success, mode:
        case False, _:
            return Row("reported_failure")
        case True, VerificationMode.NONE:
            return Row("reported_success")
        case True, VerificationMode.MANUAL:
            return Row("verification_pending")
        case _ if REQUIRED[mode] in evidence:
            return Row("verified_success", "valid")
        case _:
            return Row("verification_failed", "invalid", f"{REQUIRED[mode]} missing")


def when_reported(
    *past: Event,
    success: bool = True,
    mode: VerificationMode = NONE,
    evidence: tuple[str, ...] = (),
    worker: str | None = None,
) -> Decided:
    report = Report(success=success, evidence=evidence)
    return given(*past).when(
        lambda e: report_outcome(e, report, mode, source="api", worker_id=worker, now=NOW)
    )


@pytest.mark.parametrize("evidence", EVIDENCE, ids=lambda given_: "+".join(given_) or "nothing")
@pytest.mark.parametrize("mode", list(VerificationMode))
@pytest.mark.parametrize("success", [True, False])
def test_an_outcome_is_judged_by_the_table(
    success: bool, mode: VerificationMode, evidence: tuple[str, ...]
) -> None:
    decided = when_reported(*DELIVERED, success=success, mode=mode, evidence=evidence)
    outcome = given(*DELIVERED, *events_of(decided)).state.facts.outcome
    expected = row_of_contract_8(success, mode, evidence)
    assert Row(outcome.state, outcome.validation, outcome.reason) == expected
    assert (outcome.report.success, outcome.mode) == (success, mode)


def reported(**changes: Any) -> OutcomeReported:
    fields = {"report": Report(success=True), "source": "api", "mode": NONE, **changes}
    return OutcomeReported(at=NOW, **fields)


def test_the_events_of_each_verdict() -> None:
    when_reported(*DELIVERED).then(reported())
    when_reported(*DELIVERED, success=False, mode=NEEDS_ID).then(
        reported(report=Report(success=False), mode=NEEDS_ID)
    )
    when_reported(*DELIVERED, mode=MANUAL).then(
        reported(mode=MANUAL), VerificationRequested(at=NOW)
    )
    when_reported(*DELIVERED, mode=NEEDS_ID).then(
        reported(mode=NEEDS_ID), VerificationFailed(at=NOW, missing=ID)
    )
    when_reported(*DELIVERED, mode=NEEDS_ID, evidence=(ID,)).then(
        reported(mode=NEEDS_ID, report=Report(success=True, evidence=(ID,))),
        OutcomeVerified(at=NOW),
    )


WITHOUT = {n: past for n, past in STAGES.items() if given(*past).state.facts.outcome is None}
WITH = {n: past for n, past in STAGES.items() if n not in WITHOUT}


@pytest.mark.parametrize("success", [True, False])
@pytest.mark.parametrize("stage", WITHOUT)
def test_an_outcome_is_accepted_in_every_stage_without_one(stage: str, success: bool) -> None:
    past = WITHOUT[stage]
    after = given(*past, *events_of(when_reported(*past, success=success))).state
    assert outcome_state(after.facts) == ("reported_success" if success else "reported_failure")
    assert after.facts.outcome.recorded_at == NOW
    shown = row(after)
    assert (shown["outcome_due_at"], shown["claimable_at"]) == (None, None)
    if stage != "blocked" or success:
        assert shown["delivery_due_at"] is None


@pytest.mark.parametrize("success", [True, False])
@pytest.mark.parametrize("stage", WITH)
def test_a_second_outcome_is_refused_and_changes_nothing(stage: str, success: bool) -> None:
    when_reported(*WITH[stage], success=success).then(refused("outcome_already_recorded"))


def test_an_outcome_for_what_is_not_there_is_refused() -> None:
    when_reported().then(refused("execution_not_found"))


LOST = (FOR_WORKER, claimed(), expired(LEASE_ENDED))
TAKEN = (*LOST, claimed(at=LEASE_ENDED, epoch=2, worker="another"))


@pytest.mark.parametrize(
    ("past", "worker", "accepted"),
    [
        ((FOR_WORKER, claimed()), WORKER, True),
        ((FOR_WORKER, claimed()), None, True),
        ((FOR_WORKER, claimed()), "another", False),
        (LOST, WORKER, True),
        (LOST, "another", False),
        (LOST, None, True),
        (TAKEN, WORKER, False),
        (TAKEN, "another", True),
        (TAKEN, None, True),
        ((FOR_WORKER,), "anyone", True),
        (DELIVERED, "anyone", True),
        (STAGES["worker timeout"], "another", False),
        (STAGES["worker timeout"], WORKER, True),
        (STAGES["missed"], "anyone", True),
        (STAGES["worker failed"], "another", False),
    ],
)
def test_a_named_worker_must_hold_the_claim_or_be_the_last_that_did(
    past: tuple[Event, ...], worker: str | None, accepted: bool
) -> None:
    decided = when_reported(*past, worker=worker)
    if accepted:
        decided.then(reported(worker_id=worker))
    else:
        decided.then(refused("not_execution_owner"))


def test_a_recorded_outcome_is_told_before_a_wrong_worker() -> None:
    when_reported(*STAGES["worker success"], worker="another").then(
        refused("outcome_already_recorded")
    )


def test_a_report_ends_the_claim() -> None:
    extended = LeaseExtended(at=NOON, epoch=1, lease_until=NOON + HOUR)
    past = (FOR_WORKER, claimed(), extended)
    assert isinstance(given(*past).state, Claimed)
    done = given(*past, *events_of(when_reported(*past))).state
    assert (status(done), done.facts.delivered_at) == ("success", NOW)
    assert done.facts.attempts_ended == done.facts.attempts == 1
