"""Status and schedule in nr 4, and the cue's row of §4 that PATCH moves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from libs.events.base import Event
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    CueCompleted,
    CueDeleted,
    CueFailed,
    CuePaused,
    CueResumed,
    CueUpdated,
    SlotsSkipped,
    row,
    status,
)
from services.scheduler.decider.cues import update_cue
from services.scheduler.decider.limits import Account
from tests.services.scheduler.deciding import Decided, events_of, given, refused
from tests.services.scheduler.examples import (
    AT_TWO,
    EXECUTION_ID,
    FREE,
    FULL,
    HOUR,
    HOURLY,
    MINUTE,
    NOON,
    SECOND,
    UNLIMITED,
    created,
    fired,
    once,
    paused,
    rescheduled,
    resumed,
    settings,
    update,
)

ACTIVE = (created(),)
PAUSED = (created(), paused(NOON + MINUTE))
RAN = (once(), fired(NOON + 2 * HOUR))
COMPLETED = (*RAN, CueCompleted(at=NOON + 2 * HOUR, execution_id=EXECUTION_ID))
FAILED = (*RAN, CueFailed(at=NOON + 2 * HOUR, execution_id=EXECUTION_ID))
ENDED = {"completed": COMPLETED, "failed": FAILED}
LATER = NOON + 3 * HOUR + 5 * MINUTE
CRON = {"schedule": {"cron": "30 * * * *", "at": None}}
HALF_PAST = Schedule(cron="30 * * * *")
TOMORROW = NOON + 24 * HOUR
ONCE = {"schedule": {"cron": None, "at": TOMORROW.isoformat()}}


def patch(
    past: tuple[Event, ...],
    changes: dict[str, Any] | None = None,
    to: str | None = None,
    *,
    now: datetime = LATER,
    account: Account = FREE,
) -> Decided:
    command = update(changes, to)
    return given(*past).when(
        lambda cue: update_cue(command, cue, account, name_taken=False, now=now)
    )


def becomes(past: tuple[Event, ...], decided: Decided) -> str:
    return status(given(*past, *events_of(decided)).state)


def test_pausing_stops_scheduling() -> None:
    decided = patch(ACTIVE, to="paused", now=NOON + MINUTE)
    decided.then(CuePaused(at=NOON + MINUTE))
    cue = given(*ACTIVE, *events_of(decided)).state
    assert (row(cue)["status"], row(cue)["next_run"]) == ("paused", None)


def test_pausing_a_cue_that_is_due_puts_its_slots_on_record() -> None:
    skipped = SlotsSkipped(
        at=LATER,
        first=NOON + HOUR,
        last=NOON + 3 * HOUR,
        count=3,
        reason="paused",
        next_run=NOON + 4 * HOUR,
    )
    patch(ACTIVE, to="paused").then(skipped, CuePaused(at=LATER))


def test_resuming_goes_on_from_now_and_puts_what_passed_on_record() -> None:
    skipped = SlotsSkipped(
        at=LATER,
        first=NOON + HOUR,
        last=NOON + 3 * HOUR,
        count=3,
        reason="paused",
        next_run=NOON + 4 * HOUR,
    )
    patch(PAUSED, to="active").then(skipped, CueResumed(at=LATER, next_run=NOON + 4 * HOUR))


def test_resuming_before_a_slot_passed_skips_nothing() -> None:
    now = NOON + 2 * MINUTE
    patch(PAUSED, to="active", now=now).then(CueResumed(at=now, next_run=NOON + HOUR))


@pytest.mark.parametrize(("past", "to"), [(ACTIVE, "active"), (PAUSED, "paused")])
def test_the_present_status_changes_nothing(past: tuple[Event, ...], to: str) -> None:
    patch(past, to=to).then()


@pytest.mark.parametrize("past", ENDED.values(), ids=ENDED)
def test_an_ended_cue_cannot_be_paused(past: tuple[Event, ...]) -> None:
    patch(past, to="paused").then(refused("invalid_state"))


@pytest.mark.parametrize("past", ENDED.values(), ids=ENDED)
def test_an_ended_cue_needs_a_new_schedule_to_be_active(past: tuple[Event, ...]) -> None:
    patch(past, to="active").then(refused("invalid_schedule"))


def test_resuming_a_once_cue_whose_time_has_passed_is_refused() -> None:
    past = (once(), paused(NOON + MINUTE))
    patch(past, to="active").then(refused("invalid_schedule"))
    patch(past, to="active", now=NOON + 2 * HOUR).then(refused("invalid_schedule"))


def test_resuming_a_once_cue_before_its_time_is_accepted() -> None:
    now = NOON + HOUR
    patch((once(), paused(NOON + MINUTE)), to="active", now=now).then(
        CueResumed(at=now, next_run=NOON + 2 * HOUR)
    )


def test_resuming_over_the_plans_limit_is_refused() -> None:
    patch(PAUSED, to="active", account=FULL).then(refused("cue_limit_exceeded"))
    assert becomes(PAUSED, patch(PAUSED, to="active", account=UNLIMITED)) == "active"


def test_an_impossible_resume_is_told_before_the_limit() -> None:
    past = (once(), paused(NOON + MINUTE))
    patch(past, to="active", account=FULL).then(refused("invalid_schedule"))


def test_a_new_schedule_of_an_active_cue_counts_from_now() -> None:
    now = NOON + 10 * MINUTE
    patch(ACTIVE, CRON, now=now).then(rescheduled(now, HALF_PAST))
    assert rescheduled(now, HALF_PAST).next_run == NOON + 30 * MINUTE


def test_a_new_schedule_puts_due_slots_of_the_old_one_on_record() -> None:
    skipped = SlotsSkipped(
        at=LATER,
        first=NOON + HOUR,
        last=NOON + 3 * HOUR,
        count=3,
        reason="rescheduled",
        next_run=NOON + 4 * HOUR,
    )
    patch(ACTIVE, CRON).then(skipped, rescheduled(LATER, HALF_PAST))


def test_the_same_schedule_again_counts_from_now() -> None:
    now = NOON + 10 * MINUTE
    again = {"schedule": {"cron": HOURLY.cron, "at": None}}
    patch(ACTIVE, again, now=now).then(rescheduled(now, HOURLY))


def test_a_new_schedule_of_a_paused_cue_is_stored() -> None:
    now = NOON + 10 * MINUTE
    decided = patch(PAUSED, CRON, now=now)
    decided.then(CueUpdated(at=now, settings=settings(schedule=HALF_PAST), next_run=None))
    assert becomes(PAUSED, decided) == "paused"


@pytest.mark.parametrize("past", ENDED.values(), ids=ENDED)
@pytest.mark.parametrize("changes", [CRON, ONCE], ids=["cron", "once"])
def test_a_new_schedule_makes_an_ended_cue_active(
    past: tuple[Event, ...], changes: dict[str, Any]
) -> None:
    decided = patch(past, changes)
    [updated] = events_of(decided)
    assert updated.reactivated
    cue = given(*past, *events_of(decided)).state
    assert (status(cue), cue.next_run) == ("active", updated.next_run)
    assert row(cue)["settling_id"] is None


@pytest.mark.parametrize("past", ENDED.values(), ids=ENDED)
def test_making_an_ended_cue_active_counts_against_the_plan(past: tuple[Event, ...]) -> None:
    patch(past, CRON, account=FULL).then(refused("cue_limit_exceeded"))


@pytest.mark.parametrize("past", ENDED.values(), ids=ENDED)
def test_other_changes_leave_an_ended_cue_ended(past: tuple[Event, ...]) -> None:
    decided = patch(past, {"name": "evening"})
    assert becomes(past, decided) == status(given(*past).state)


def test_schedule_and_status_come_together_schedule_first() -> None:
    now = NOON + 10 * MINUTE
    patch(PAUSED, CRON, "active", now=now).then(
        CueUpdated(at=now, settings=settings(schedule=HALF_PAST), next_run=None),
        CueResumed(at=now, next_run=NOON + 30 * MINUTE),
    )
    past_once = (once(), paused(NOON + MINUTE))
    assert becomes(past_once, patch(past_once, ONCE, "active")) == "active"
    assert becomes(COMPLETED, patch(COMPLETED, CRON, "active")) == "active"
    assert becomes(COMPLETED, patch(COMPLETED, CRON, "paused")) == "paused"
    assert becomes(ACTIVE, patch(ACTIVE, CRON, "paused", now=now)) == "paused"


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ({"cron": "61 * * * *"}, "invalid_schedule"),
        ({"cron": "0 0 30 2 *"}, "invalid_schedule"),
        ({"at": LATER.isoformat()}, "invalid_schedule"),
        ({"at": (LATER - SECOND).isoformat()}, "invalid_schedule"),
        ({"cron": "0 * * * *", "at": TOMORROW.isoformat()}, "invalid_schedule"),
        ({"cron": "0 * * * *", "timezone": "Mars/Olympus"}, "invalid_timezone"),
    ],
)
@pytest.mark.parametrize("past", [ACTIVE, PAUSED, COMPLETED], ids=["active", "paused", "completed"])
def test_a_schedule_is_judged_as_at_creation(
    past: tuple[Event, ...], schedule: dict[str, Any], code: str
) -> None:
    patch(past, {"schedule": schedule}).then(refused(code))


def test_a_refused_status_takes_the_changes_with_it() -> None:
    patch(PAUSED, {"name": "evening"}, "active", account=FULL).then(refused("cue_limit_exceeded"))
    patch(COMPLETED, {"name": "evening"}, "paused").then(refused("invalid_state"))


def test_a_deleted_cue_cannot_be_changed() -> None:
    patch((*ACTIVE, CueDeleted(at=NOON)), {"name": "x"}).then(refused("cue_not_found"))


def test_slots_that_pass_before_a_paused_cue_is_rescheduled_are_the_old_schedules() -> None:
    moved_at = NOON + 2 * HOUR + 5 * MINUTE
    moved = patch(PAUSED, CRON, now=moved_at)
    moved.then(
        SlotsSkipped(
            at=moved_at,
            first=NOON + HOUR,
            last=NOON + 2 * HOUR,
            count=2,
            reason="paused",
            next_run=NOON + 3 * HOUR,
        ),
        CueUpdated(at=moved_at, settings=settings(schedule=HALF_PAST), next_run=None),
    )
    past = (*PAUSED, *events_of(moved))
    patch(past, to="active").then(
        SlotsSkipped(
            at=LATER,
            first=NOON + 2.5 * HOUR,
            last=NOON + 2.5 * HOUR,
            count=1,
            reason="paused",
            next_run=NOON + 3.5 * HOUR,
        ),
        CueResumed(at=LATER, next_run=NOON + 3.5 * HOUR),
    )


def test_the_same_schedule_again_counts_a_paused_cues_slots_once() -> None:
    again = {"schedule": {"cron": HOURLY.cron, "at": None}}
    first = patch(PAUSED, again, now=NOON + 1.5 * HOUR)
    skipped, _ = events_of(first)
    assert (skipped.first, skipped.count) == (NOON + HOUR, 1)
    skipped, _ = events_of(patch((*PAUSED, *events_of(first)), to="active"))
    assert (skipped.first, skipped.count) == (NOON + 2 * HOUR, 2)


def test_a_reschedule_forgets_the_run_that_would_have_ended_a_once_cue() -> None:
    for to, changes in ((None, ONCE), (None, CRON), ("paused", ONCE)):
        decided = patch(RAN, changes, to)
        cue = given(*RAN, *events_of(decided)).state
        assert row(cue)["settling_id"] is None
    assert AT_TWO.at is not None
    assert row(given(*RAN).state)["settling_id"] == EXECUTION_ID


def test_a_resume_starts_again_where_a_pause_ended() -> None:
    past = (*PAUSED, resumed(NOON + 2 * MINUTE), paused(NOON + 3 * MINUTE))
    now = NOON + 4 * MINUTE
    patch(past, to="active", now=now).then(CueResumed(at=now, next_run=NOON + HOUR))
