"""A cue that is due: what its slots become (contract §5, catch-up)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.accounts import PLANS
from libs.events.base import Event, Transport
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    ActiveCue,
    CueFailed,
    CueUpdated,
    SlotsSkipped,
    row,
    status,
)
from libs.events.execution_events import ExecutionScheduled
from services.scheduler.decider.firing import Fired, due_now, fire_due
from services.scheduler.decider.limits import Account
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import (
    EXECUTION_ID,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TRACE,
    UNCLAIMED,
    UNLIMITED,
    created,
    fired,
    once,
    paused,
)


def look(*past: Event, now: datetime, account: Account = UNLIMITED) -> Fired:
    """Fire what is due, with ids numbered from 0."""
    cue = given(*past).state
    due = due_now(cue, now)
    if due is None:
        return Fired()
    assert isinstance(cue, ActiveCue)
    ids = [(f"id-{number}", TRACE) for number in range(len(due.fires))]
    return fire_due(cue, due, ids, account, now, UNCLAIMED)


def slot(
    number: int,
    scheduled_for: datetime,
    now: datetime,
    next_run: datetime | None,
    triggered_by: str = "scheduled",
    **changes: Any,
) -> ExecutionScheduled:
    return fired(
        now,
        execution_id=f"id-{number}",
        scheduled_for=scheduled_for,
        triggered_by=triggered_by,
        traceparent=TRACE,
        next_run=next_run,
        **changes,
    )


def skipped(
    first: int, last: int, count: int, now: datetime, reason: str, next_run: datetime | None
) -> SlotsSkipped:
    return SlotsSkipped(
        at=now,
        first=NOON + first * HOUR,
        last=NOON + last * HOUR,
        count=count,
        reason=reason,
        next_run=next_run,
    )


def test_nothing_is_due_before_the_slot() -> None:
    cue = given(created()).state
    assert due_now(cue, NOON + HOUR - SECOND / 1_000_000) is None
    assert due_now(None, NOON) is None


def test_only_an_active_cue_is_due() -> None:
    for past in ((created(), paused(NOON)), (once(), fired(NOON), CueFailed(at=NOON))):
        assert due_now(given(*past).state, NOON + 24 * HOUR) is None


@pytest.mark.parametrize("late", [0, 1, 60])
def test_a_slot_becomes_one_execution(late: int) -> None:
    now = NOON + HOUR + late * SECOND
    assert look(created(), now=now) == Fired(
        executions=(slot(0, NOON + HOUR, now, NOON + 2 * HOUR),)
    )


def test_a_fired_slot_is_not_due_again() -> None:
    now = NOON + HOUR
    [event] = look(created(), now=now).executions
    cue = given(created(), event).state
    assert due_now(cue, now) is None
    assert (row(cue)["next_run"], cue.facts.fired_count) == (NOON + 2 * HOUR, 1)


def test_a_workers_slot_can_be_claimed_for_a_while_from_now() -> None:
    now = NOON + 3 * HOUR + 30 * MINUTE
    [event] = look(created(transport=Transport.WORKER), now=now).executions
    assert event.scheduled_for == NOON + 3 * HOUR
    assert (event.due_at, event.expires_at) == (now, now + UNCLAIMED)


LATE = NOON + 3.5 * HOUR
AHEAD = NOON + 4 * HOUR


def test_skip_missed_makes_nothing() -> None:
    assert look(created(catch_up="skip_missed"), now=LATE) == Fired(
        events=(skipped(1, 3, 3, LATE, "catch_up_skipped", AHEAD),)
    )


def test_run_once_makes_one_for_the_latest() -> None:
    assert look(created(catch_up="run_once_if_missed"), now=LATE) == Fired(
        executions=(slot(0, NOON + 3 * HOUR, LATE, AHEAD, "catch_up"),),
        events=(skipped(1, 2, 2, LATE, "merged_into_later_run", AHEAD),),
    )


def test_run_once_is_served_by_a_slot_on_time() -> None:
    now = NOON + 3 * HOUR + SECOND
    assert look(created(catch_up="run_once_if_missed"), now=now) == Fired(
        executions=(slot(0, NOON + 3 * HOUR, now, AHEAD),),
        events=(skipped(1, 2, 2, now, "merged_into_later_run", AHEAD),),
    )


def test_replay_all_makes_one_for_each_oldest_first() -> None:
    assert look(created(catch_up="replay_all_missed"), now=LATE) == Fired(
        executions=tuple(
            slot(number, NOON + (number + 1) * HOUR, LATE, AHEAD, "catch_up") for number in range(3)
        )
    )


def test_replay_all_makes_the_latest_hundred() -> None:
    now = NOON + 150.5 * HOUR
    ahead = NOON + 151 * HOUR
    decided = look(created(catch_up="replay_all_missed"), now=now)
    assert [event.scheduled_for for event in decided.executions] == [
        NOON + number * HOUR for number in range(51, 151)
    ]
    assert decided.events == (skipped(1, 50, 50, now, "catch_up_skipped", ahead),)


def test_skipped_slots_move_the_cue_to_the_next() -> None:
    decided = look(created(catch_up="skip_missed"), now=LATE)
    cue = given(created(catch_up="skip_missed"), *decided.events).state
    assert row(cue)["next_run"] == AHEAD
    assert cue.facts.updated_at == NOON


def test_a_once_cue_fires_and_waits_for_its_run() -> None:
    now = NOON + 2 * HOUR
    decided = look(once(), now=now)
    assert decided == Fired(executions=(slot(0, now, now, None),))
    cue = given(once(), *decided.executions).state
    assert (status(cue), row(cue)["next_run"]) == ("active", None)
    assert row(cue)["settling_id"] == "id-0"
    assert due_now(cue, now + HOUR) is None


@pytest.mark.parametrize("catch_up", ["run_once_if_missed", "replay_all_missed"])
def test_a_missed_once_cue_is_caught_up(catch_up: str) -> None:
    now = NOON + 5 * HOUR
    decided = look(once(catch_up=catch_up), now=now)
    assert decided == Fired(executions=(slot(0, NOON + 2 * HOUR, now, None, "catch_up"),))


def test_a_missed_once_cue_that_skips_has_failed() -> None:
    now = NOON + 5 * HOUR
    past = once(catch_up="skip_missed")
    decided = look(past, now=now)
    assert decided.executions == ()
    assert decided.events == (
        skipped(2, 2, 1, now, "catch_up_skipped", None),
        CueFailed(at=now),
    )
    assert status(given(past, *decided.events).state) == "failed"


def test_slots_that_a_limit_blocks_move_the_schedule_too() -> None:
    over = Account(plan=PLANS["free"], executions=300, grace_started_at=NOON - 48 * HOUR)
    decided = look(created(catch_up="replay_all_missed"), now=LATE, account=over)
    assert [event.blocked is not None for event in decided.executions] == [True] * 3
    assert row(given(created(), *decided.executions).state)["next_run"] == AHEAD


def test_the_grace_starts_once_among_many_slots() -> None:
    near = Account(plan=PLANS["free"], executions=298)
    decided = look(created(catch_up="replay_all_missed"), now=LATE, account=near)
    assert [event.starts_grace for event in decided.executions] == [False, True, False]


def test_a_slot_in_another_zone_is_due_by_its_clock() -> None:
    # Until Sunday the clocks of Berlin are put back by an hour.
    saturday = datetime(2026, 10, 24, 8, tzinfo=NOON.tzinfo)
    berlin = created(saturday, schedule=Schedule(cron="0 9 * * *", timezone="Europe/Berlin"))
    [first] = look(berlin, now=saturday + 24 * HOUR).executions
    assert first.scheduled_for == datetime(2026, 10, 25, 8, tzinfo=NOON.tzinfo)


def test_a_cue_whose_zone_has_other_rules_now_waits_for_its_slot_as_it_is_now() -> None:
    stale = replace(created(), next_run=NOON + 30 * MINUTE)
    now = NOON + 30 * MINUTE
    decided = look(stale, now=now)
    assert decided == Fired(
        events=(CueUpdated(at=now, settings=stale.settings, next_run=NOON + HOUR),)
    )
    assert due_now(given(stale, *decided.events).state, now) is None


def test_executions_carry_the_ids_they_were_given() -> None:
    cue = given(created()).state
    assert isinstance(cue, ActiveCue)
    due = due_now(cue, NOON + HOUR)
    assert due is not None
    decided = fire_due(cue, due, [(EXECUTION_ID, TRACE)], UNLIMITED, NOON + HOUR, UNCLAIMED)
    assert [(e.execution_id, e.traceparent) for e in decided.executions] == [(EXECUTION_ID, TRACE)]
