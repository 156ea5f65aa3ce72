"""Slots are counted as they would be by walking through them, whatever the schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from libs.events.cue_settings import (
    Schedule,
)
from services.scheduler.rules import due_slots, next_slot, passed_slots
from tests.services.scheduler.examples import AT_TWO, DAILY, HOUR, HOURLY, NOON
from tests.services.scheduler.ledger import walked

INSTANT = timedelta(microseconds=1)
CATCH_UPS = ["skip_missed", "run_once_if_missed", "replay_all_missed"]

fields = st.tuples(
    st.sampled_from(["*", "*/5", "0", "30", "7,23", "10-40/10"]),
    st.sampled_from(["*", "*/2", "2", "1-3", "0,12"]),
    st.sampled_from(["*", "1", "L", "13"]),
    st.sampled_from(["*", "3", "3,10,11"]),
    st.sampled_from(["*", "0", "1-5", "5L"]),
)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
# From before the clocks go forward in spring until after they go back in autumn.
instants = st.timedeltas(timedelta(days=-65), timedelta(days=210)).map(lambda span: NOON + span)
spans = st.timedeltas(timedelta(0), timedelta(days=3))
recurring = st.builds(
    lambda parts, zone: Schedule(cron=" ".join(parts), timezone=zone), fields, zones
)
schedules = recurring | instants.map(lambda at: Schedule(at=at))

checked = hypothesis_settings(max_examples=150, deadline=None)


@checked
@for_all(schedules, instants, spans)
def test_passed_slots_are_those_that_a_walk_finds(
    schedule: Schedule, after: datetime, span: timedelta
) -> None:
    slots = list(walked(schedule, after, after + span))
    expected = (slots[0], slots[-1], len(slots)) if slots else None
    assert passed_slots(schedule, after, after + span) == expected


@checked
@for_all(schedules, instants, spans, st.sampled_from(CATCH_UPS))
def test_every_due_slot_is_fired_or_skipped_once(
    schedule: Schedule, start: datetime, span: timedelta, catch_up: str
) -> None:
    next_run = next_slot(schedule, start)
    if next_run is None:
        return
    now = next_run + span
    owed = list(walked(schedule, next_run - INSTANT, now))
    due = due_slots(schedule, next_run, now, catch_up)
    skipped = [s for skip in due.skips for s in owed if skip.first <= s <= skip.last]
    assert sum(skip.count for skip in due.skips) == len(skipped)
    assert sorted([*skipped, *(fire.scheduled_for for fire in due.fires)]) == owed
    assert due.next_run == next_slot(schedule, now)
    assert len(due.fires) <= 102


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (HOURLY, NOON, NOON + HOUR),
        (HOURLY, NOON - INSTANT, NOON),
        (DAILY, NOON, NOON + HOUR),
        (AT_TWO, NOON, NOON + 2 * HOUR),
        (AT_TWO, NOON + 2 * HOUR, None),
    ],
)
def test_the_next_slot_is_strictly_later(
    schedule: Schedule, after: datetime, expected: datetime | None
) -> None:
    assert next_slot(schedule, after) == expected


def test_a_long_pause_of_a_minutely_cue_is_counted_not_walked() -> None:
    minutely = Schedule(cron="* * * * *", timezone="Europe/Berlin")
    ten_years = timedelta(days=3_652)
    assert passed_slots(minutely, NOON, NOON + ten_years) == (
        NOON + timedelta(minutes=1),
        NOON + ten_years,
        3_652 * 1_440,
    )
