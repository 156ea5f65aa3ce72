"""When a cue that does not succeed is missed, and how often that is told (contract §9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.cue_settings import (
    AlertRules,
    Schedule,
)
from libs.events.cues import (
    CueDeleted,
    CuePaused,
    CueResumed,
    CueUpdated,
)
from services.alerts.decider.episodes import QUIET, PastAlert
from services.alerts.decider.windows import (
    GRACE,
    KIND,
    KNOWN_ALERTS,
    LatestSuccess,
    Seen,
    Watch,
    look,
    watch_for,
)
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import HOUR, HOURLY, MINUTE, NOON, SECOND, created, settings

TWICE = settings(schedule=HOURLY, alerts=AlertRules(missed_window_multiplier=2))
BORN = created(schedule=HOURLY, alerts=TWICE.alerts)
NEVER = LatestSuccess()
DUE = NOON + 2 * HOUR + GRACE


def cue(*past: Any) -> Any:
    return given(BORN, *past).state


def watched() -> Watch:
    watch = watch_for(cue(), None, None)
    assert watch is not None
    return watch


def look_at(
    now: datetime,
    succeeded_at: datetime | None = None,
    latest: PastAlert | None = None,
    watch: Watch | None = None,
) -> Seen:
    success = LatestSuccess(at=succeeded_at)
    return look(watch or watched(), cue(), success, [latest] if latest else [], now)


def due_after(seen: Seen) -> datetime | None:
    assert seen.watch is not None
    return seen.watch.due_at


def raised_by(seen: Seen, at: datetime, seen_at: datetime | None = None) -> PastAlert:
    assert seen.called is not None
    episode = seen.called.episode
    return PastAlert(kind=KIND, episode=episode, created_at=at, acknowledged_at=seen_at)


def test_a_new_cue_is_looked_at_a_minute_after_its_nth_slot() -> None:
    assert watched().due_at == DUE
    assert look_at(DUE - SECOND) == Seen(watch=watched())


def test_a_window_without_a_success_is_told() -> None:
    seen = look_at(DUE)
    assert seen.called is not None
    assert seen.called.facts == {
        "expected_by": "2026-05-05T14:00:00Z",
        "last_success_at": None,
        "multiplier": 2,
    }
    assert seen.called.execution_id is None


def test_a_success_moves_the_window() -> None:
    seen = look_at(DUE, succeeded_at=NOON + HOUR + SECOND)
    assert seen.called is None
    assert due_after(seen) == NOON + 3 * HOUR + GRACE
    late = look_at(NOON + 3 * HOUR + GRACE, succeeded_at=NOON + HOUR + SECOND)
    assert late.called is not None
    assert late.called.facts["last_success_at"] == "2026-05-05T13:00:01Z"


def test_a_window_is_told_once() -> None:
    first = look_at(DUE)
    again = look_at(DUE + HOUR, latest=raised_by(first, DUE), watch=first.watch)
    assert again.called is None


def test_after_a_success_another_window_is_told() -> None:
    first = raised_by(look_at(DUE), DUE)
    seen = look_at(NOON + 9 * HOUR, succeeded_at=NOON + 5 * HOUR, latest=first)
    assert seen.called is not None
    assert seen.called.episode != first.episode


def test_once_seen_the_next_slot_is_told() -> None:
    seen_at = DUE + 10 * MINUTE
    first = raised_by(look_at(DUE), DUE, seen_at)
    waits = look_at(seen_at, latest=first)
    assert waits.called is None
    assert due_after(waits) == NOON + 3 * HOUR + GRACE
    second = look_at(NOON + 3 * HOUR + GRACE, latest=first)
    assert second.called is not None
    assert second.called.facts["expected_by"] == "2026-05-05T15:00:00Z"
    assert second.called.episode != first.episode
    told = raised_by(second, NOON + 3 * HOUR + GRACE)
    assert look_at(NOON + 6 * HOUR, latest=told).called is None


def test_two_of_one_cue_are_five_minutes_apart() -> None:
    state = given(created(schedule=Schedule(cron="* * * * *"))).state
    watch = watch_for(state, None, None)
    assert watch is not None
    at = NOON + 3 * MINUTE
    first = look(watch, state, NEVER, [], at)
    told = raised_by(first, at, seen_at=at + SECOND)
    waits = look(watch, state, NEVER, [told], at + 3 * MINUTE)
    assert waits.called is None
    assert due_after(waits) == at + QUIET
    assert look(watch, state, NEVER, [told], at + QUIET).called is not None


def test_uneven_schedules_raise_no_false_alarm() -> None:
    friday = datetime(2026, 5, 8, 9, 0, 5, tzinfo=NOON.tzinfo)
    weekdays = given(created(schedule=Schedule(cron="0 9 * * MON-FRI"))).state
    watch = watch_for(weekdays, None, None)
    assert watch is not None
    monday = datetime(2026, 5, 11, 9, 5, tzinfo=NOON.tzinfo)
    assert look(watch, weekdays, LatestSuccess(at=friday), [], monday).called is None


@pytest.mark.parametrize(
    "past",
    [
        [CuePaused(at=NOON)],
        [CueDeleted(at=NOON)],
        [CueUpdated(at=NOON, settings=settings(schedule=Schedule(at=NOON + HOUR)), next_run=None)],
    ],
    ids=["paused", "deleted", "once"],
)
def test_only_active_recurring_cues_are_watched(past: list[Any]) -> None:
    assert watch_for(cue(*past), None, None) is None
    assert look(watched(), cue(*past), NEVER, [], DUE) == Seen(watch=None)


def test_a_cue_that_is_gone_is_watched_no_longer() -> None:
    assert look(watched(), None, NEVER, [], DUE) == Seen(watch=None)


def test_what_passed_while_paused_is_not_missed() -> None:
    resumed = CueResumed(at=NOON + 9 * HOUR, next_run=NOON + 10 * HOUR)
    state = cue(CuePaused(at=NOON), resumed)
    watch = watch_for(state, watched(), resumed.at)
    assert watch is not None
    assert watch.due_at == NOON + 11 * HOUR + GRACE
    assert watch_for(state, watch, None) == watch
    earlier = watch_for(state, watch, NOON + HOUR)
    assert earlier == watch


def test_a_new_schedule_begins_anew_and_another_name_does_not() -> None:
    later = NOON + 90 * MINUTE
    daily = replace(TWICE, schedule=Schedule(cron="0 0 * * *"))
    rescheduled = watch_for(
        cue(CueUpdated(at=later, settings=daily, next_run=None)), watched(), None
    )
    assert rescheduled is not None
    assert rescheduled.since == later
    renamed = CueUpdated(at=later, settings=replace(TWICE, name="other"), next_run=None)
    assert watch_for(cue(renamed), watched(), None) == watched()


def test_another_multiplier_moves_the_window() -> None:
    five = replace(TWICE, alerts=AlertRules(missed_window_multiplier=5))
    watch = watch_for(cue(CueUpdated(at=NOON, settings=five, next_run=None)), watched(), None)
    assert watch is not None
    assert watch.due_at == NOON + 5 * HOUR + GRACE


def test_an_old_success_is_remembered_when_it_is_out_of_sight() -> None:
    seen = look_at(DUE, succeeded_at=NOON + HOUR + SECOND).watch
    assert seen is not None
    for sought_since, remembered in (
        (NOON + 2 * HOUR, "2026-05-05T13:00:01Z"),
        (NOON, None),
        (None, None),
    ):
        success = LatestSuccess(sought_since=sought_since)
        late = look(seen, cue(), success, [], NOON + 9 * HOUR)
        assert late.called is not None
        assert late.called.facts["last_success_at"] == remembered


def test_a_success_that_was_none_takes_the_cue_back_to_an_episode_that_was_told() -> None:
    first = raised_by(look_at(DUE), DUE)
    doubtful, later = NOON + 4 * HOUR, NOON + 6 * HOUR + GRACE
    second = raised_by(look_at(later, succeeded_at=doubtful), later)
    back = look(watched(), cue(), NEVER, [second, first], later + HOUR)
    assert back.called is None


def test_nothing_is_told_of_an_episode_older_than_all_alerts_that_were_read() -> None:
    past = [
        PastAlert(kind=KIND, episode=f"another {hour}", created_at=NOON + hour * HOUR)
        for hour in range(30, 10, -1)
    ]
    assert len(past) == KNOWN_ALERTS
    assert look(watched(), cue(), NEVER, past, NOON + 40 * HOUR).called is None
