from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from libs.schedules.counting import count_occurrences
from libs.schedules.cron import InvalidCron, parse
from libs.schedules.dst import dst_of, passed_over
from libs.schedules.occurrences import instant_of, next_occurrence, occurrences
from libs.schedules.zones import all_zones, zone
from tests.libs.schedules.oracle import changes_of_clocks, due_at, read_clock, utc
from tests.libs.schedules.strategies import TEN_YEARS, expressions, often_due_expressions, zones

SWEPT = (
    "30 2 * * *",
    "0,30 0-4 * * *",
    "*/20 * * * *",
    "15 * * * *",
    "*/10 1-2 * * *",
    "0 0 * * *",
)


def local_times(expression: str, zone_name: str, since: str, until: str) -> list[str]:
    """The occurrences between two instants, in local time with the offset."""
    found = occurrences(parse(expression), zone(zone_name), utc(since), utc(until))
    return [f"{slot.astimezone(zone(zone_name)):%d %H:%M%z}" for slot in found]


# New York: 02:00-03:00 does not exist on 8 March 2026, 01:00-02:00 comes twice on 1 November.


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["08 03:00-0400", "09 02:30-0400"]),
        ("0,30 2 * * *", ["08 03:00-0400", "09 02:00-0400", "09 02:30-0400"]),
        ("0 2,3 * * *", ["08 03:00-0400", "09 02:00-0400", "09 03:00-0400"]),
        ("30 1-3 8 * *", ["08 01:30-0500", "08 03:00-0400", "08 03:30-0400"]),
        ("0-59 2 8 * *", ["08 03:00-0400"]),
        ("59 1 * * *", ["08 01:59-0500", "09 01:59-0400"]),
        ("0 3 * * *", ["08 03:00-0400", "09 03:00-0400"]),
    ],
)
def test_a_fixed_time_in_a_gap_is_due_once_after_it(expression: str, expected: list[str]) -> None:
    assert (
        local_times(expression, "America/New_York", "2026-03-08 05:00", "2026-03-09 12:00")
        == expected
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/30 2 * * *", ["09 02:00-0400", "09 02:30-0400"]),
        ("* 2 8 * *", []),
        ("30 * 8 * *", [f"08 {h:02}:30-0{5 if h < 2 else 4}00" for h in range(24) if h != 2]),
        (
            "15 */2 8 * *",
            [f"08 {h:02}:15-0{5 if h < 2 else 4}00" for h in range(0, 24, 2) if h != 2],
        ),
    ],
)
def test_what_counts_through_the_hours_is_not_due_in_a_gap(
    expression: str, expected: list[str]
) -> None:
    assert (
        local_times(expression, "America/New_York", "2026-03-08 04:59", "2026-03-09 12:00")
        == expected
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 1 * * *", ["01 01:30-0400", "02 01:30-0500"]),
        ("0,30 1 * * *", ["01 01:00-0400", "01 01:30-0400", "02 01:00-0500", "02 01:30-0500"]),
        ("0 1,2 1 * *", ["01 01:00-0400", "01 02:00-0500"]),
        ("0 2 * * *", ["01 02:00-0500", "02 02:00-0500"]),
    ],
)
def test_a_fixed_time_that_comes_twice_is_due_the_first_time(
    expression: str, expected: list[str]
) -> None:
    assert (
        local_times(expression, "America/New_York", "2026-11-01 03:59", "2026-11-02 12:00")
        == expected
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/30 1 1 * *", ["01 01:00-0400", "01 01:30-0400", "01 01:00-0500", "01 01:30-0500"]),
        ("45 * 1 * *", ["01 00:45-0400", "01 01:45-0400", "01 01:45-0500", "01 02:45-0500"]),
        ("*/5 1 1 1-12 *", [f"01 01:{m:02}-0{o}00" for o in (4, 5) for m in range(0, 60, 5)]),
    ],
)
def test_what_counts_through_the_hours_is_due_on_both_passes(
    expression: str, expected: list[str]
) -> None:
    assert (
        local_times(expression, "America/New_York", "2026-11-01 03:59", "2026-11-01 08:00")
        == expected
    )


@pytest.mark.parametrize(
    ("zone_name", "expression", "since", "until", "expected"),
    [
        # A gap of half an hour, 02:00-02:30, and a repeat of one, 01:30-02:00.
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03 14:00", "2026-10-04 04:00",
         ["04 02:30+1100"]),
        ("Australia/Lord_Howe", "0 * * * *", "2026-10-03 14:00", "2026-10-03 17:00",
         ["04 01:00+1030", "04 03:00+1100", "04 04:00+1100"]),
        ("Australia/Lord_Howe", "*/15 1 * * *", "2026-04-04 13:59", "2026-04-04 16:00",
         ["05 01:00+1100", "05 01:15+1100", "05 01:30+1100", "05 01:45+1100",
          "05 01:30+1030", "05 01:45+1030"]),
        # A gap of two hours.
        ("Antarctica/Troll", "30 1,2 * * *", "2026-03-29 00:00", "2026-03-29 12:00",
         ["29 03:00+0200"]),
        # 30 December 2011 does not exist.
        ("Pacific/Apia", "0 9 * * *", "2011-12-29 00:00", "2012-01-01 00:00",
         ["29 09:00-1000", "31 00:00+1400", "31 09:00+1400", "01 09:00+1400"]),
        ("Pacific/Apia", "0 */12 * * *", "2011-12-29 11:00", "2011-12-31 00:00",
         ["29 12:00-1000", "31 00:00+1400", "31 12:00+1400"]),
        ("Pacific/Apia", "0 0 30 12 *", "2011-01-01 00:00", "2012-12-31 00:00",
         ["31 00:00+1400", "30 00:00+1400"]),
        ("Pacific/Kwajalein", "30 12 21 8 *", "1993-08-01 00:00", "1993-09-01 00:00",
         ["22 00:00+1200"]),
        # Clocks go back from 00:00 to 23:00, and from 01:00 to 00:00.
        ("Asia/Beirut", "30 23 * * *", "2026-10-24 18:00", "2026-10-25 23:00",
         ["24 23:30+0300", "25 23:30+0200"]),
        ("Asia/Beirut", "30 * 24 * *", "2026-10-24 19:00", "2026-10-25 23:00",
         ["24 22:30+0300", "24 23:30+0300", "24 23:30+0200"]),
        ("America/Havana", "0 0 * * *", "2024-11-03 00:00", "2024-11-04 12:00",
         ["03 00:00-0400", "04 00:00-0500"]),
        # Clocks go forward from 00:00 to 01:00.
        ("America/Santiago", "0 0 * * *", "2026-09-05 12:00", "2026-09-07 12:00",
         ["06 01:00-0300", "07 00:00-0300"]),
        # Clocks went back from 00:01 to 23:01 of the day before.
        ("America/St_Johns", "0 0 * * *", "2010-11-06 12:00", "2010-11-08 12:00",
         ["07 00:00-0230", "08 00:00-0330"]),
        ("America/St_Johns", "0 * * * *", "2010-11-07 01:00", "2010-11-07 05:00",
         ["06 23:00-0230", "07 00:00-0230", "07 00:00-0330", "07 01:00-0330"]),
    ],
)  # fmt: skip
def test_unusual_changes_of_clocks(
    zone_name: str, expression: str, since: str, until: str, expected: list[str]
) -> None:
    assert local_times(expression, zone_name, since, until) == expected


def test_an_occurrence_is_strictly_after() -> None:
    noon, daily = utc("2026-05-05 12:00"), parse("0 12 * * *")
    moment = timedelta(microseconds=1)
    assert next_occurrence(daily, zone("UTC"), noon - moment) == noon
    assert next_occurrence(daily, zone("UTC"), noon) == noon + timedelta(days=1)
    assert list(occurrences(daily, zone("UTC"), noon, noon + timedelta(days=1))) == [
        noon + timedelta(days=1)
    ]
    assert list(occurrences(daily, zone("UTC"), noon, noon)) == []


def test_the_moment_before_a_change_leads_to_the_change() -> None:
    change = utc("2026-03-08 07:00")
    before = change - timedelta(microseconds=1)
    assert next_occurrence(parse("30 2 * * *"), zone("America/New_York"), before) == change


def test_the_second_pass_is_found_though_the_next_date_has_the_same_offset() -> None:
    yearly = parse("*/30 1 1 11 *")  # in 2027 clocks are changed a week later
    last_of_first_pass = utc("2026-11-01 05:30")
    found = next_occurrence(yearly, zone("America/New_York"), last_of_first_pass)
    assert found == utc("2026-11-01 06:00")


def test_any_offset_comes_in_and_utc_goes_out() -> None:
    after = datetime(2026, 5, 5, 12, tzinfo=timezone(timedelta(hours=9)))
    found = next_occurrence(parse("0 12 * * *"), zone("Asia/Tokyo"), after)
    assert found is not None
    assert found.isoformat() == "2026-05-06T03:00:00+00:00"
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("expression", "zone_name", "after"),
    [
        ("*/5 2 * 3 7#2", "America/New_York", "2026-01-01 00:00"),
        ("* * * * *", "UTC", "9999-12-31 23:59"),
        ("* * * * *", "Pacific/Kiritimati", "9950-01-01 00:00"),
        ("* * * * *", "America/New_York", "0001-01-01 00:00"),
    ],
)
def test_there_may_be_no_occurrence(expression: str, zone_name: str, after: str) -> None:
    cron, place = parse(expression), zone(zone_name)
    assert next_occurrence(cron, place, utc(after)) is None
    assert list(occurrences(cron, place, utc(after), utc("9999-12-31 23:59"))) == []


@pytest.mark.parametrize(
    ("local", "zone_name", "instant"),
    [
        ("2026-03-08 01:59:59", "America/New_York", "2026-03-08 06:59:59"),
        ("2026-03-08 02:00", "America/New_York", "2026-03-08 07:00"),
        ("2026-03-08 02:30:15.5", "America/New_York", "2026-03-08 07:00"),
        ("2026-03-08 02:59:59.999999", "America/New_York", "2026-03-08 07:00"),
        ("2026-03-08 03:00", "America/New_York", "2026-03-08 07:00"),
        ("2026-11-01 01:30:15.5", "America/New_York", "2026-11-01 05:30:15.5"),
        ("2026-11-01 02:00", "America/New_York", "2026-11-01 07:00"),
        ("2011-12-30 12:34:56", "Pacific/Apia", "2011-12-30 10:00"),
        ("2026-10-04 02:29", "Australia/Lord_Howe", "2026-10-03 15:30"),
        ("2040-03-11 02:30", "America/New_York", "2040-03-11 07:00"),
        ("2026-03-08 02:30", "UTC", "2026-03-08 02:30"),
    ],
)
def test_the_instant_of_a_local_time(local: str, zone_name: str, instant: str) -> None:
    assert instant_of(datetime.fromisoformat(local), zone(zone_name)) == utc(instant)


def test_the_ends_of_the_calendar_overflow() -> None:
    with pytest.raises(OverflowError):
        instant_of(datetime.fromisoformat("9999-12-31 23:00"), zone("America/New_York"))


@pytest.mark.parametrize(
    ("expression", "occurrence", "dst"),
    [
        ("30 2 * * *", "2026-03-08 07:00", "gap"),
        ("0 2,3 * * *", "2026-03-08 07:00", "gap"),
        ("0 3 * * *", "2026-03-08 07:00", None),
        ("0 * * * *", "2026-03-08 07:00", None),
        ("30 2 * * *", "2026-03-09 06:30", None),
        ("30 1 * * *", "2026-11-01 05:30", "repeat"),
        ("30 * * * *", "2026-11-01 05:30", "repeat"),
        ("30 * * * *", "2026-11-01 06:30", "repeat"),
        ("0 2 * * *", "2026-11-01 07:00", None),
    ],
)
def test_an_occurrence_tells_what_dst_did_to_it(
    expression: str, occurrence: str, dst: str | None
) -> None:
    cron, new_york = parse(expression), zone("America/New_York")
    moment_before = utc(occurrence) - timedelta(microseconds=1)
    assert next_occurrence(cron, new_york, moment_before) == utc(occurrence)
    assert dst_of(cron, new_york, utc(occurrence)) == dst


@pytest.mark.parametrize(
    ("expression", "at", "dst"),
    [
        ("30 1 * * *", "2026-11-01 06:30", "repeat"),
        ("30 1 * * *", "2026-11-01 05:30", None),
        ("30 1 * * *", "2026-11-01 06:31", None),
        ("30 * * * *", "2026-11-01 06:30", None),
        ("30 2 * * *", "2026-03-08 07:30", "gap"),
        ("*/30 2 * * *", "2026-03-08 07:30", "gap"),
        ("30 2 * * *", "2026-03-08 07:31", None),
        ("30 3 * * *", "2026-03-08 07:30", None),
        ("30 2 * * *", "2026-03-09 06:30", None),
    ],
)
def test_an_instant_tells_why_dst_made_it_no_occurrence(
    expression: str, at: str, dst: str | None
) -> None:
    assert passed_over(parse(expression), zone("America/New_York"), utc(at)) == dst


@pytest.mark.parametrize(
    ("zone_name", "expression", "after", "until", "count"),
    [
        ("UTC", "*/5 * * * *", "2026-01-01 00:00", "2027-01-01 00:00", 365 * 288),
        ("America/New_York", "* * * * *", "2026-01-01 05:00", "2027-01-01 05:00", 365 * 1440),
        ("America/New_York", "0-59 0-23 * * *", "2026-01-01 05:00", "2027-01-01 05:00",
         365 * 1440 - 60),
        # From within the second pass of a repeat, and of one that leads back over midnight.
        ("America/New_York", "30 1 * * *", "2026-11-01 06:10", "2026-11-01 07:00", 0),
        ("America/St_Johns", "0 0 * * *", "2010-11-07 02:45", "2010-11-08 12:00", 1),
    ],
)  # fmt: skip
def test_occurrences_are_counted(
    zone_name: str, expression: str, after: str, until: str, count: int
) -> None:
    counted = count_occurrences(parse(expression), zone(zone_name), utc(after), utc(until))
    assert counted == count


def test_every_zone_keeps_the_rule_at_its_changes_of_clocks() -> None:
    seen = set()
    for place in map(zone, all_zones()):
        for change in _changes(place)[:4]:
            start, end = change - timedelta(hours=4), change + timedelta(hours=4)
            offsets = start.astimezone(place).utcoffset(), end.astimezone(place).utcoffset()
            if (change, offsets) not in seen:
                seen.add((change, offsets))
                _check_sweep(place, start, end)
    assert len(seen) > 80


def _check_sweep(place: ZoneInfo, start: datetime, end: datetime) -> None:
    readings = read_clock(place, start, end)
    for expression in SWEPT:
        found = list(occurrences(parse(expression), place, start, end))
        assert found == due_at(expression, readings), (place.key, expression)
        assert count_occurrences(parse(expression), place, start, end) == len(found)


@st.composite
def windows(draw: st.DrawFn) -> tuple[ZoneInfo, datetime, datetime]:
    """A zone and up to two days in it, near a change of its clocks if there is one."""
    place = draw(zones)
    centre = draw(st.sampled_from(_changes(place) or [TEN_YEARS[0]]))
    start = centre - timedelta(minutes=draw(st.integers(0, 26 * 60)))
    return place, start, start + timedelta(minutes=draw(st.integers(1, 48 * 60)))


@cache
def _changes(place: ZoneInfo) -> list[datetime]:
    return changes_of_clocks(place, *TEN_YEARS)


@settings(max_examples=200, deadline=None)
@given(often_due_expressions(), windows())
def test_a_patient_watcher_of_the_clock_sees_the_same(
    expression: str, window: tuple[ZoneInfo, datetime, datetime]
) -> None:
    place, start, end = window
    try:
        cron = parse(expression)
    except InvalidCron:
        assume(False)
    readings = read_clock(place, start - timedelta(days=1), end)
    expected = [instant for instant in due_at(expression, readings) if instant > start]
    assert list(occurrences(cron, place, start, end)) == expected
    assert count_occurrences(cron, place, start, end) == len(expected)


@settings(max_examples=50, deadline=None)
@given(expressions(), windows(), st.integers(0, 59_999_999), st.integers(1, 400 * 1440))
def test_counting_is_walking(
    expression: str, window: tuple[ZoneInfo, datetime, datetime], fraction: int, minutes: int
) -> None:
    place, start, _ = window
    try:
        cron = parse(expression)
    except InvalidCron:
        assume(False)
    start += timedelta(microseconds=fraction)
    walked = list(islice(occurrences(cron, place, start, start + timedelta(minutes=minutes)), 3000))
    end = walked[-1] if len(walked) == 3000 else start + timedelta(minutes=minutes)
    assert count_occurrences(cron, place, start, end) == len(walked)
