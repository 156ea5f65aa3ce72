from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schedules.counting import count_occurrences
from libs.schedules.cron import parse
from libs.schedules.due import CatchUp, Due, Fire, NextSlot, Skip, due
from libs.schedules.occurrences import next_occurrence
from libs.schedules.zones import zone
from tests.libs.schedules.oracle import utc

NOON = utc("2026-05-05 12:00")
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
hourly = partial(next_occurrence, parse("@hourly"), zone("UTC"))
minutely = partial(next_occurrence, parse("* * * * *"), zone("UTC"))
count_minutely = partial(count_occurrences, parse("* * * * *"), zone("UTC"))

every_policy = pytest.mark.parametrize("catch_up", list(CatchUp))


def slots(*instants: datetime) -> NextSlot:
    def next_slot(after: datetime) -> datetime | None:
        index = bisect_right(instants, after)
        return instants[index] if index < len(instants) else None

    return next_slot


@every_policy
def test_nothing_is_due_before_the_slot(catch_up: CatchUp) -> None:
    decision = due(hourly, NOON, NOON + HOUR - SECOND, catch_up)
    assert decision == Due(fires=(), skips=(), next_run=NOON + HOUR)


@every_policy
@pytest.mark.parametrize("seconds_late", [0, 1, 59, 60])
def test_a_slot_seen_within_a_minute_is_on_time(catch_up: CatchUp, seconds_late: int) -> None:
    decision = due(hourly, NOON, NOON + HOUR + seconds_late * SECOND, catch_up)
    assert decision == Due((Fire(NOON + HOUR, "scheduled"),), (), NOON + 2 * HOUR)


def test_a_slot_seen_later_was_missed() -> None:
    now = NOON + HOUR + 60 * SECOND + timedelta(microseconds=1)
    slot = NOON + HOUR
    assert due(hourly, NOON, now, CatchUp.SKIP_MISSED) == Due(
        (), (Skip(slot, slot, 1, "catch_up_skipped"),), NOON + 2 * HOUR
    )
    for catch_up in (CatchUp.RUN_ONCE_IF_MISSED, CatchUp.REPLAY_ALL_MISSED):
        assert due(hourly, NOON, now, catch_up) == Due(
            (Fire(slot, "catch_up"),), (), NOON + 2 * HOUR
        )


def test_skip_missed_skips_all_that_were_missed_and_runs_what_is_on_time() -> None:
    assert due(hourly, NOON, NOON + 5 * HOUR, CatchUp.SKIP_MISSED) == Due(
        fires=(Fire(NOON + 5 * HOUR, "scheduled"),),
        skips=(Skip(NOON + HOUR, NOON + 4 * HOUR, 4, "catch_up_skipped"),),
        next_run=NOON + 6 * HOUR,
    )


def test_run_once_runs_the_latest_missed_slot() -> None:
    assert due(hourly, NOON, NOON + 5.5 * HOUR, CatchUp.RUN_ONCE_IF_MISSED) == Due(
        fires=(Fire(NOON + 5 * HOUR, "catch_up"),),
        skips=(Skip(NOON + HOUR, NOON + 4 * HOUR, 4, "merged_into_later_run"),),
        next_run=NOON + 6 * HOUR,
    )


def test_run_once_is_served_by_a_slot_that_is_on_time() -> None:
    assert due(hourly, NOON, NOON + 5 * HOUR, CatchUp.RUN_ONCE_IF_MISSED) == Due(
        fires=(Fire(NOON + 5 * HOUR, "scheduled"),),
        skips=(Skip(NOON + HOUR, NOON + 4 * HOUR, 4, "merged_into_later_run"),),
        next_run=NOON + 6 * HOUR,
    )


def test_replay_all_runs_every_missed_slot_oldest_first() -> None:
    assert due(hourly, NOON, NOON + 3 * HOUR, CatchUp.REPLAY_ALL_MISSED) == Due(
        fires=(
            Fire(NOON + HOUR, "catch_up"),
            Fire(NOON + 2 * HOUR, "catch_up"),
            Fire(NOON + 3 * HOUR, "scheduled"),
        ),
        skips=(),
        next_run=NOON + 4 * HOUR,
    )


def test_replay_all_runs_the_latest_hundred() -> None:
    decision = due(hourly, NOON, NOON + 250.5 * HOUR, CatchUp.REPLAY_ALL_MISSED)
    assert [fire.scheduled_for for fire in decision.fires] == [
        NOON + n * HOUR for n in range(151, 251)
    ]
    assert decision.skips == (Skip(NOON + HOUR, NOON + 150 * HOUR, 150, "catch_up_skipped"),)


def test_the_cursor_may_be_any_instant_before_the_next_slot() -> None:
    for cursor in (NOON, NOON + 30 * 60 * SECOND, NOON + HOUR - timedelta(microseconds=1)):
        assert due(hourly, cursor, NOON + HOUR, CatchUp.SKIP_MISSED).fires == (
            Fire(NOON + HOUR, "scheduled"),
        )


@every_policy
def test_a_clock_put_back_fires_nothing_again(catch_up: CatchUp) -> None:
    assert due(hourly, NOON, NOON - 3 * HOUR, catch_up) == Due((), (), NOON + HOUR)


@every_policy
def test_a_once_schedule_has_one_slot(catch_up: CatchUp) -> None:
    once = slots(NOON)
    assert due(once, NOON - HOUR, NOON - SECOND, catch_up) == Due((), (), NOON)
    assert due(once, NOON - HOUR, NOON, catch_up) == Due((Fire(NOON, "scheduled"),), (), None)
    assert due(once, NOON, NOON + HOUR, catch_up) == Due((), (), None)
    late = due(once, NOON - HOUR, NOON + HOUR, catch_up)
    if catch_up is CatchUp.SKIP_MISSED:
        assert late == Due((), (Skip(NOON, NOON, 1, "catch_up_skipped"),), None)
    else:
        assert late == Due((Fire(NOON, "catch_up"),), (), None)


@every_policy
def test_a_year_of_missed_minutes_is_reckoned_not_walked(catch_up: CatchUp) -> None:
    looked_at = 0

    def counted(after: datetime) -> datetime | None:
        nonlocal looked_at
        looked_at += 1
        return minutely(after)

    now = NOON + timedelta(days=365) + 30 * SECOND
    decision = due(counted, NOON, now, catch_up, count_minutely)
    skipped = sum(skip.count for skip in decision.skips)
    assert skipped + len(decision.fires) == 365 * 1440
    assert looked_at < 1000


@every_policy
@given(
    offsets=st.lists(st.integers(1, 5_000), max_size=60, unique=True).map(sorted),
    more=st.integers(0, 3).map(lambda runs: [5_000 + n for n in range(runs * 90)]),
    cursor=st.integers(0, 6_000),
    length=st.integers(0, 400_000),
)
def test_every_slot_is_in_exactly_one_fire_or_skip(
    catch_up: CatchUp, offsets: list[int], more: list[int], cursor: int, length: int
) -> None:
    minutes = sorted({*offsets, *more})
    all_slots = [NOON + timedelta(minutes=n) for n in minutes]
    start = NOON + timedelta(minutes=cursor)
    now = start + length * SECOND
    decision = due(slots(*all_slots), start, now, catch_up)

    owed = [slot for slot in all_slots if start < slot <= now]
    fired = [fire.scheduled_for for fire in decision.fires]
    skipped = [
        [slot for slot in owed if skip.first <= slot <= skip.last] for skip in decision.skips
    ]
    assert [len(run) for run in skipped] == [skip.count for skip in decision.skips]
    assert sorted([*fired, *(slot for run in skipped for slot in run)]) == owed
    assert decision.next_run == next((slot for slot in all_slots if slot > now), None)
    assert all(earlier < later for earlier, later in pairwise(fired))
    for fire in decision.fires:
        on_time = now - fire.scheduled_for <= timedelta(seconds=60)
        assert fire.triggered_by == ("scheduled" if on_time else "catch_up")
