from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from libs.schedules.cron import InvalidCron, parse
from libs.schedules.intervals import smallest_interval
from libs.schedules.occurrences import next_occurrence, occurrences
from libs.schedules.zones import zone
from tests.libs.schedules.oracle import utc
from tests.libs.schedules.strategies import zones


def _listed(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


HOUR = 3600
DAY = 24 * HOUR
sparse_expressions = st.tuples(
    st.lists(st.integers(0, 59), min_size=1, max_size=3),
    st.lists(st.integers(0, 23), min_size=1, max_size=4),
    st.sampled_from(["* * *", "* * 1-5", "1,L * *", "*/2 * *", "13 * 5", "* 3,10 0", "* * 0#2,0L"]),
).map(lambda drawn: f"{_listed(drawn[0])} {_listed(drawn[1])} {drawn[2]}")
NOW = utc("2026-01-10 00:07:30")


@pytest.mark.parametrize(
    ("expression", "zone_name", "seconds"),
    [
        ("* * * * *", "UTC", 60),
        ("*/5 * * * *", "America/New_York", 300),
        ("*/45 * * * *", "UTC", 900),
        ("0,59 * * * *", "UTC", 60),
        ("@hourly", "America/New_York", HOUR),
        ("0 9 * * *", "UTC", DAY),
        ("0 9 * * *", "America/New_York", DAY - HOUR),
        ("0 9 * * *", "Australia/Lord_Howe", DAY - HOUR // 2),
        ("0 23,1 * * *", "UTC", 2 * HOUR),
        ("59 23,0 * * *", "UTC", HOUR),
        ("30 1,2 * * *", "America/New_York", HOUR // 2),
        ("0 9 * * 1", "UTC", 7 * DAY),
        ("0 9 * * 1-5", "UTC", DAY),
        ("0 0 1 * *", "UTC", 28 * DAY),
        ("0 0 L * *", "UTC", 28 * DAY),
        ("0 0 29 2 *", "UTC", (4 * 365 + 1) * DAY),
        ("0,30,45 0 1 1 *", "UTC", 900),
    ],
)
def test_the_smallest_interval(expression: str, zone_name: str, seconds: int) -> None:
    assert smallest_interval(parse(expression), zone(zone_name), NOW) == seconds


def test_there_is_none_without_two_occurrences() -> None:
    assert smallest_interval(parse("* 2 * 3 7#2"), zone("America/New_York"), NOW) is None


@settings(max_examples=40, deadline=None)
@given(sparse_expressions, zones)
def test_no_two_neighbours_within_a_year_are_nearer(expression: str, place: ZoneInfo) -> None:
    try:
        cron = parse(expression)
    except InvalidCron:
        assume(False)
    first = next_occurrence(cron, place, NOW)
    if first is None:
        assert smallest_interval(cron, place, NOW) is None
        return
    year = [first, *occurrences(cron, place, first, first + timedelta(days=366))]
    intervals = [int((later - earlier).total_seconds()) for earlier, later in pairwise(year)]
    assert intervals == [] or smallest_interval(cron, place, NOW) == min(intervals)
