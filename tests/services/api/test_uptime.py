"""How well the service has worked, judged by the runs of its canary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.api.rules.uptime import COMPONENTS, DAYS, Run, Uptime, judged, settled

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def a_run(minute: int = 0, **changes: Any) -> Run:
    due_at = START + minute * MINUTE
    good = Run(due_at, due_at + SECOND / 5, due_at + SECOND, reported=True, ended=True)
    return good._replace(**changes)


def after(*runs: Run) -> Uptime:
    uptime = Uptime()
    for run in runs:
        uptime.add(run)
    return uptime


def statuses(uptime: Uptime, now: datetime) -> list[str]:
    return [uptime.status(name, now) for name in COMPONENTS]


def test_before_the_first_run_nothing_is_known() -> None:
    assert statuses(Uptime(), START) == ["unknown"] * 3
    assert [day.uptime for day in Uptime().days("delivery", START.date())] == [None] * DAYS


def test_a_run_that_went_well_is_good_for_every_component() -> None:
    uptime = after(a_run())
    assert statuses(uptime, START + MINUTE) == ["operational"] * 3
    assert uptime.days("outcomes", START.date())[-1].uptime == 1.0
    assert uptime.last_good == a_run()


def test_each_component_answers_for_its_own_part() -> None:
    late = START + 11 * SECOND
    assert judged(a_run(fired_at=late, delivered_at=late + SECOND)) == {
        "scheduling": False,
        "delivery": True,
        "outcomes": True,
    }
    assert judged(a_run(delivered_at=START + 40 * SECOND))["delivery"] is False
    assert judged(a_run(delivered_at=None, reported=False)) == {
        "scheduling": True,
        "delivery": False,
    }
    assert judged(a_run(reported=False))["outcomes"] is False


def test_one_bad_minute_is_no_incident_and_two_are_one() -> None:
    bad = [a_run(n, delivered_at=None) for n in (1, 2)]
    once = after(a_run(0), bad[0])
    assert once.status("delivery", bad[0].due_at + MINUTE) == "degraded"
    assert once.incidents(bad[0].due_at + MINUTE) == []

    twice = after(a_run(0), *bad)
    assert twice.status("delivery", bad[1].due_at + MINUTE) == "down"
    [incident] = twice.incidents(bad[1].due_at + MINUTE)
    assert incident == ("delivery", bad[0].due_at, None, 2)

    twice.add(a_run(3))
    [incident] = twice.incidents(START + 4 * MINUTE)
    assert incident == ("delivery", bad[0].due_at, a_run(3).due_at, 2)
    assert twice.status("delivery", START + 4 * MINUTE) == "operational"


def test_minutes_without_a_run_count_against_scheduling_alone() -> None:
    uptime = after(a_run(0), a_run(10))
    today = START.date()
    assert uptime.days("scheduling", today)[-1] == (today, 2, 9)
    assert uptime.days("delivery", today)[-1] == (today, 2, 0)
    [incident] = uptime.incidents(START + 11 * MINUTE)
    assert incident == ("scheduling", START + MINUTE, START + 10 * MINUTE, 9)


def test_silence_is_an_incident_while_it_lasts() -> None:
    uptime = after(a_run(0))
    assert statuses(uptime, START + 10 * MINUTE) == ["down", "unknown", "unknown"]
    [incident] = uptime.incidents(START + 10 * MINUTE)
    assert incident == ("scheduling", START + MINUTE, None, 9)


def test_a_run_is_counted_once() -> None:
    uptime = after(a_run(0), a_run(0), a_run(1), a_run(0))
    assert uptime.days("scheduling", START.date())[-1].good == 2


def test_days_before_the_last_ninety_are_dropped() -> None:
    uptime = after(a_run())
    uptime.forget(START.date() + timedelta(days=DAYS))
    assert uptime.days("scheduling", START.date())[-1].good == 1
    uptime.forget(START.date() + timedelta(days=DAYS + 1))
    assert uptime.days("scheduling", START.date())[-1].uptime is None


def test_runs_are_read_up_to_the_first_that_is_not_over() -> None:
    on_its_way = a_run(1, ended=False)
    runs = [a_run(0), on_its_way, a_run(2)]
    assert settled(runs, START + 3 * MINUTE) == runs[:1]
    assert settled(runs, START + 7 * MINUTE) == runs


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_every_minute_is_counted_once_for_scheduling(steps: list[tuple[int, bool]]) -> None:
    uptime, minute = Uptime(), 0
    uptime.add(a_run(0))
    for gap, good in steps:
        minute += gap + 1
        late = START + minute * MINUTE + (SECOND if good else MINUTE)
        uptime.add(a_run(minute, fired_at=late, delivered_at=late))
    days = uptime.days("scheduling", (START + minute * MINUTE).date())
    assert sum(day.good + day.bad for day in days) == minute + 1
    bad = sum(incident.minutes for incident in uptime.incidents(START + (minute + 1) * MINUTE))
    assert bad <= sum(day.bad for day in days)
