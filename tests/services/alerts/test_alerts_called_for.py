"""Which alerts an execution calls for, and how often (contract §9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.base import Event, VerificationMode
from libs.events.cues import AlertRules, CueSettings
from libs.events.executions import (
    EvidenceAppended,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from services.alerts.decider import Called, alerts_called_for
from tests.services.dispatcher.examples import (
    MINUTE,
    NOON,
    STAGES,
    WEBHOOK,
    reported,
    with_delivery,
)
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import EXECUTION_ID, settings

NEEDS_ID = VerificationMode.REQUIRE_EXTERNAL_ID
UNVERIFIED = (
    WEBHOOK,
    reported(mode=NEEDS_ID),
    VerificationFailed(at=NOON, missing="external_id"),
)


def after(rules: int) -> CueSettings:
    return settings(alerts=AlertRules(consecutive_failures=rules))


def executions(*stages: str) -> list[Any]:
    """Make executions in these stages, oldest first, and give them newest first."""
    made = []
    for number, stage in enumerate(stages):
        state = given(*STAGES[stage]).state
        made.append(replace(state, facts=replace(state.facts, id=f"e{number}")))
    return made[::-1]


def called(
    newest_first: Sequence[Any],
    threshold: int,
    acknowledged: Collection[str] = (),
    kind: str = "consecutive_failure",
    changed: int = 0,
) -> list[Called]:
    """Give the alerts of one kind for the execution that changed, the newest if not said."""
    calls = alerts_called_for(newest_first[changed], after(threshold), newest_first, acknowledged)
    return [call for call in calls if call.kind == kind]


def row_of(length: int, threshold: int, episode: str, by: str) -> Called:
    return Called(
        kind="consecutive_failure",
        episode=episode,
        execution_id=by,
        facts={"consecutive_failures": length, "threshold": threshold},
    )


def test_too_few_failures_call_for_nothing() -> None:
    assert called(executions("failed", "failed"), threshold=3) == []


def test_the_nth_failure_in_a_row_calls_for_an_alert() -> None:
    failing = executions("failed", "reported failure", "worker failed")
    assert called(failing, threshold=3) == [row_of(3, 3, "e0", "e2")]
    assert called(executions("failed"), threshold=1) == [row_of(1, 1, "e0", "e0")]


def test_further_failures_belong_to_the_same_episode() -> None:
    for length in (3, 4, 10):
        [call] = called(executions(*["failed"] * length), threshold=3)
        assert call.episode == "e0"


def test_a_success_or_an_unknown_outcome_begins_the_row_anew() -> None:
    for reset in ("reported", "outcome_timeout", "worker success"):
        failing = executions("failed", "failed", reset, "failed", "failed")
        assert called(failing, threshold=3) == []
        assert called(failing, threshold=2) == [row_of(2, 2, "e3", "e4")]


def test_missed_and_limit_blocked_ones_neither_add_nor_reset() -> None:
    failing = executions("failed", "missed", "blocked", "failed", "success", "failed")
    assert called(failing, threshold=3) == [row_of(3, 3, "e0", "e5")]
    assert called(failing, threshold=4) == []


def test_what_is_no_failure_calls_for_no_alert_about_the_row_before_it() -> None:
    for stage in ("missed", "blocked", "success", "pending", "reported"):
        assert called(executions("failed", "failed", stage), threshold=2) == []


def test_an_old_failure_outside_the_row_calls_for_nothing() -> None:
    failing = executions("failed", "reported", "failed", "failed")
    assert called(failing, threshold=2, changed=3) == []


def test_once_seen_the_next_failure_begins_another_episode_which_lasts() -> None:
    failing = executions(*["failed"] * 4)
    assert called(failing, 3, {"e0"}) == [row_of(4, 3, "e0:2", "e3")]
    assert called(executions(*["failed"] * 5), 3, {"e0"})[0].episode == "e0:2"
    assert called(executions(*["failed"] * 6), 3, {"e0", "e0:2"})[0].episode == "e0:3"


def silence(stage: str, deadline: int = 300, *more: Event) -> list[Called]:
    execution = given(*STAGES[stage], *more).state
    calls = alerts_called_for(execution, with_delivery(deadline=deadline), [execution], ())
    return [call for call in calls if call.kind == "outcome_timeout"]


def test_silence_past_the_deadline_calls_for_an_alert() -> None:
    assert silence("outcome_timeout", 60) == [
        Called(
            kind="outcome_timeout",
            episode=EXECUTION_ID,
            execution_id=EXECUTION_ID,
            facts={"outcome_deadline_seconds": 60, "delivered_at": "2026-05-05T12:00:01Z"},
        )
    ]


def test_a_workers_silence_is_a_days() -> None:
    [call] = silence("worker timeout")
    assert call.facts == {"outcome_deadline_seconds": 86_400, "delivered_at": None}


def test_a_late_outcome_does_not_undo_the_silence() -> None:
    late = reported(at=NOON + 10 * MINUTE)
    assert silence("outcome_timeout", 300, late) == silence("outcome_timeout")


@pytest.mark.parametrize(
    "stage", [name for name in STAGES if name not in ("outcome_timeout", "worker timeout")]
)
def test_nothing_else_is_silence(stage: str) -> None:
    assert silence(stage) == []


def unverified(*past: Event) -> list[Called]:
    execution = given(*past).state
    calls = alerts_called_for(execution, settings(), [execution], ())
    return [call for call in calls if call.kind == "verification_failed"]


def test_missing_evidence_calls_for_an_alert() -> None:
    [call] = unverified(*UNVERIFIED)
    assert call.execution_id == EXECUTION_ID
    assert call.facts == {"mode": "require_external_id", "missing": "external_id"}


def test_a_persons_rejection_calls_for_an_alert() -> None:
    for reason in (None, "wrong file"):
        rejected = VerificationFailed(at=NOON, by="person", reason=reason)
        [call] = unverified(WEBHOOK, reported(), rejected)
        assert call.facts == {"mode": "none", "missing": None}


def test_other_evidence_belongs_to_the_same_episode() -> None:
    more = EvidenceAppended(at=NOON + MINUTE, details_ref="a" * 64, evidence=("artifacts",))
    assert unverified(*UNVERIFIED, more) == unverified(*UNVERIFIED)


def test_what_a_person_rejects_later_is_another_episode() -> None:
    asked = VerificationRequested(at=NOON, by="person")
    [first] = unverified(*UNVERIFIED)
    assert unverified(*UNVERIFIED, asked) == []
    for reason in (None, "wrong file"):
        rejected = VerificationFailed(at=NOON, by="person", reason=reason)
        [second] = unverified(*UNVERIFIED, asked, rejected)
        assert second.episode != first.episode


def test_what_is_verified_calls_for_nothing() -> None:
    for past in (
        (*UNVERIFIED, OutcomeVerified(at=NOON)),
        (WEBHOOK, reported()),
        (WEBHOOK, reported(success=False)),
        (WEBHOOK,),
    ):
        assert unverified(*past) == []


def test_one_execution_may_call_for_several() -> None:
    timed_out = given(*STAGES["outcome_timeout"], reported(success=False)).state
    calls = alerts_called_for(timed_out, after(1), [timed_out], ())
    assert [call.kind for call in calls] == ["outcome_timeout", "consecutive_failure"]
    unverified_ = given(*UNVERIFIED).state
    calls = alerts_called_for(unverified_, after(1), [unverified_], ())
    assert [call.kind for call in calls] == ["verification_failed", "consecutive_failure"]


def test_asking_again_calls_for_the_same() -> None:
    failing = executions("failed", "failed", "failed")
    assert called(failing, 3) == called(failing, 3)
