"""Which alerts an execution calls for, and how often (contract §9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.base import Event, VerificationMode
from libs.events.cue_settings import (
    AlertRules,
    CueSettings,
)
from libs.events.execution_events import (
    EvidenceAppended,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from services.alerts.decider.episodes import (
    QUIET,
    Called,
    PastAlert,
    Rejected,
    alerts_called_for,
    is_news,
    needs_a_longer_look,
)
from services.alerts.rules.failures import HISTORY, FailureRow, failure_row, first_look
from tests.services.dispatcher.examples import (
    MINUTE,
    NOON,
    SECOND,
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


def rows_of(execution: Any) -> FailureRow:
    return failure_row([execution], execution.facts.id)


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
    latest: PastAlert | None = None,
    kind: str = "consecutive_failure",
    changed: int = 0,
    told_at: datetime = NOON + 2 * MINUTE,
) -> list[Called]:
    """Give the alerts of one kind for the execution that changed, the newest if not said."""
    execution = newest_first[changed]
    row = failure_row(newest_first, execution.facts.id)
    known = [latest] if latest else []
    calls = alerts_called_for(execution, after(threshold), row, known, told_at)
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


def told(episode: str, by: str, *, seen: bool = False) -> PastAlert:
    return PastAlert(
        kind="consecutive_failure",
        episode=episode,
        created_at=NOON,
        execution_id=by,
        acknowledged_at=NOON + MINUTE if seen else None,
    )


def test_further_failures_belong_to_the_same_episode() -> None:
    for length in (3, 4, 10):
        assert called(executions(*["failed"] * length), 3, told("e0", "e2")) == []


def test_a_failure_that_comes_late_makes_the_row_longer_at_its_start() -> None:
    assert called(executions(*["failed"] * 4), 3, told("e1", "e3"), changed=3) == []


def test_a_success_that_comes_late_begins_another_row() -> None:
    later = executions("reported", "failed", "failed", "failed")
    assert called(later, 3, told("e0", "e2")) == [row_of(3, 3, "e1", "e3")]


def test_an_endless_row_is_one_episode() -> None:
    endless = executions(*["failed"] * (HISTORY + 1))[:HISTORY]
    assert called(endless, 3, told("long ago", "long ago, too")) == []
    [again] = called(endless, 3, told("long ago", "long ago, too", seen=True))
    assert again == row_of(HISTORY, 3, "long ago:2", "e300")


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
    assert called(failing, 3, told("e0", "e2", seen=True)) == [row_of(4, 3, "e0:2", "e3")]
    longer = executions(*["failed"] * 5)
    assert called(longer, 3, told("e0:2", "e3")) == []
    assert called(longer, 3, told("e0:2", "e3", seen=True)) == [row_of(5, 3, "e0:3", "e4")]


def test_once_seen_no_failure_from_before_calls_for_anything_when_it_is_told_again() -> None:
    seen = told("e0", "e2", seen=True)
    for changed in range(4):
        failing = executions(*["failed"] * 4)
        assert called(failing, 3, seen, changed=changed, told_at=NOON + MINUTE) == []
    # The one that was told of may be told of again, in other words: an outcome after a delivery.
    assert called(executions(*["failed"] * 3), 3, seen) == []


def test_a_row_that_has_ended_when_news_of_it_comes_is_told() -> None:
    failing = executions("failed", "failed", "failed", "reported", "failed")
    for changed in (2, 3, 4):
        assert called(failing, 3, changed=changed) == [row_of(3, 3, "e0", "e2")]
        assert called(failing, 3, told("e0", "e2"), changed=changed) == []
    assert called(failing, 3) == []


def silence(stage: str, deadline: int = 300, *more: Event) -> list[Called]:
    execution = given(*STAGES[stage], *more).state
    calls = alerts_called_for(
        execution, with_delivery(deadline=deadline), rows_of(execution), [], NOON
    )
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


def unverified(*past: Event, entries: Sequence[Rejected]) -> list[Called]:
    execution = given(*past).state
    calls = alerts_called_for(execution, settings(), rows_of(execution), [], NOON, entries)
    return [call for call in calls if call.kind == "verification_failed"]


FOR_WANT_OF_ID = Rejected(version=3, missing="external_id")


def test_missing_evidence_calls_for_an_alert() -> None:
    assert unverified(*UNVERIFIED, entries=[FOR_WANT_OF_ID]) == [
        Called(
            kind="verification_failed",
            episode=f"{EXECUTION_ID}:3",
            execution_id=EXECUTION_ID,
            facts={"mode": "require_external_id", "missing": "external_id"},
        )
    ]


def test_a_persons_rejection_calls_for_an_alert() -> None:
    rejected = VerificationFailed(at=NOON, by="person", reason="wrong file")
    [call] = unverified(WEBHOOK, reported(), rejected, entries=[Rejected(version=3)])
    assert call.facts == {"mode": "none", "missing": None}


def test_each_entry_is_an_episode_of_its_own() -> None:
    asked = VerificationRequested(at=NOON, by="person")
    rejected = VerificationFailed(at=NOON, by="person")
    entries = [FOR_WANT_OF_ID, Rejected(version=5)]
    calls = unverified(*UNVERIFIED, asked, rejected, entries=entries)
    assert [call.episode for call in calls] == [f"{EXECUTION_ID}:3", f"{EXECUTION_ID}:5"]


def test_evidence_that_comes_after_it_does_not_undo_the_entry() -> None:
    more = EvidenceAppended(at=NOON + MINUTE, details_ref="a" * 64, evidence=("external_id",))
    verified = OutcomeVerified(at=NOON + MINUTE)
    before = unverified(*UNVERIFIED, entries=[FOR_WANT_OF_ID])
    assert unverified(*UNVERIFIED, more, verified, entries=[FOR_WANT_OF_ID]) == before


def test_without_an_entry_nothing_is_called_for() -> None:
    for past in (UNVERIFIED, (WEBHOOK, reported()), (WEBHOOK, reported(success=False))):
        assert unverified(*past, entries=[]) == []


def test_one_execution_may_call_for_several() -> None:
    timed_out = given(*STAGES["outcome_timeout"], reported(success=False)).state
    calls = alerts_called_for(timed_out, after(1), rows_of(timed_out), [], NOON)
    assert [call.kind for call in calls] == ["outcome_timeout", "consecutive_failure"]
    unverified_ = given(*UNVERIFIED).state
    calls = alerts_called_for(
        unverified_, after(1), rows_of(unverified_), [], NOON, [FOR_WANT_OF_ID]
    )
    assert [call.kind for call in calls] == ["verification_failed", "consecutive_failure"]


def test_asking_again_calls_for_the_same() -> None:
    failing = executions("failed", "failed", "failed")
    assert called(failing, 3) == called(failing, 3)


CALLED = Called(kind="verification_failed", episode="e1:5", execution_id="e1", facts={})
BEFORE = PastAlert(kind=CALLED.kind, episode="e1:3", execution_id="e1", created_at=NOON)


def test_what_nobody_was_told_is_news() -> None:
    assert is_news(CALLED, [], NOON)
    assert is_news(CALLED, [replace(BEFORE, kind="outcome_timeout")], NOON)
    assert is_news(CALLED, [replace(BEFORE, execution_id="e2")], NOON)


def test_an_episode_is_told_once() -> None:
    assert not is_news(CALLED, [replace(BEFORE, episode="e1:5")], NOON + 60 * MINUTE)


def test_no_two_of_a_kind_about_an_execution_come_within_five_minutes() -> None:
    assert not is_news(CALLED, [BEFORE], NOON + QUIET - SECOND)
    assert is_news(CALLED, [BEFORE], NOON + QUIET)


def test_more_of_the_past_is_read_only_if_it_can_change_what_is_told() -> None:
    def needs(row: FailureRow, latest: PastAlert | None) -> bool:
        known = [latest] if latest else []
        return needs_a_longer_look("e9", row, 2, known, NOON + 2 * MINUTE)

    short, long = FailureRow(ids=("e9",), whole=False), FailureRow(ids=("e9", "e8"), whole=False)
    old = told("e0", "e1")
    assert needs(short, old)
    assert needs(long, None)
    assert needs(long, told("e0", "e1", seen=True))
    assert not needs(long, old)
    assert not needs(FailureRow(ids=("e9",)), None)
    assert all(threshold < first_look(threshold) <= HISTORY for threshold in range(1, 101))
