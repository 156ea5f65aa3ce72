from __future__ import annotations

from datetime import UTC, datetime

import pytest

from libs.events.accounts import PLANS
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    CreateCue,
    Cue,
    CueCreated,
    status,
)
from services.scheduler.decider.cues import create_cue
from services.scheduler.decider.limits import Account
from tests.services.scheduler.deciding import Decided, events_of, given, refused
from tests.services.scheduler.examples import (
    ACCOUNT_ID,
    AT_TWO,
    CUE_ID,
    DAILY,
    FREE,
    FULL,
    HOUR,
    NOON,
    SECOND,
    UNLIMITED,
    create,
    created,
    settings,
)


def when(command: CreateCue, account: Account = FREE, *, name_taken: bool = False) -> Decided:
    return Decided(create_cue(command, account, name_taken=name_taken, now=NOON))


def test_a_recurring_cue_waits_for_its_next_slot() -> None:
    when(create()).then(
        CueCreated(
            at=NOON,
            cue_id=CUE_ID,
            account_id=ACCOUNT_ID,
            settings=settings(),
            next_run=NOON + HOUR,
        )
    )


def test_a_daily_cue_waits_in_its_own_zone() -> None:
    command = create(schedule=DAILY)
    when(command).then(
        CueCreated(
            at=NOON,
            cue_id=CUE_ID,
            account_id=ACCOUNT_ID,
            settings=command.settings,
            next_run=datetime(2026, 5, 5, 13, tzinfo=UTC),
        )
    )


def test_a_once_cue_waits_for_its_time() -> None:
    [event] = events_of(when(create(schedule=AT_TWO)))
    assert event.next_run == NOON + 2 * HOUR


def test_the_zone_is_kept_in_its_canonical_spelling() -> None:
    [event] = events_of(when(create(schedule=Schedule(cron="0 9 * * *", timezone="europe/berlin"))))
    assert event.settings.schedule.timezone == "Europe/Berlin"


def test_a_created_cue_is_active_and_has_fired_nothing() -> None:
    cue: Cue = given(created()).state
    assert (status(cue), cue.facts.fired_count) == ("active", 0)
    assert cue.facts.created_at == cue.facts.updated_at == NOON


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(),
        Schedule(cron="0 * * * *", at=NOON + HOUR),
        Schedule(cron=""),
        Schedule(cron="0 * * *"),
        Schedule(cron="0 0 * * * *"),
        Schedule(cron="60 * * * *"),
        Schedule(cron="*/0 * * * *"),
        Schedule(cron="30-10 * * * *"),
        Schedule(cron="0 0 30 2 *"),
        Schedule(cron="@reboot"),
        Schedule(cron=" ".join(["0," * 30 + "0"] + ["*"] * 4) + " " * 40),
        Schedule(at=NOON),
        Schedule(at=NOON - SECOND),
    ],
)
def test_a_schedule_that_cannot_come_due_is_refused(schedule: Schedule) -> None:
    when(create(schedule=schedule)).then(refused("invalid_schedule"))


def test_a_local_time_that_never_exists_is_refused() -> None:
    # Every second Sunday of March New York has no 2 o'clock.
    never = Schedule(cron="*/5 2 * 3 7#2", timezone="America/New_York")
    when(create(schedule=never)).then(refused("invalid_schedule"))


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "+02:00", "UTC+2", "Europe/Bérlin"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    schedule = Schedule(cron="0 * * * *", timezone=zone)
    when(create(schedule=schedule)).then(refused("invalid_timezone"))


def test_a_once_cue_one_microsecond_ahead_is_accepted() -> None:
    when(create(schedule=Schedule(at=NOON + SECOND / 1_000_000))).then(
        created(schedule=Schedule(at=NOON + SECOND / 1_000_000))
    )


def test_a_name_that_another_cue_has_is_refused() -> None:
    when(create(), name_taken=True).then(refused("duplicate_cue_name"))


@pytest.mark.parametrize(("plan", "limit"), [("free", 10), ("pro", 100), ("scale", 500)])
def test_the_plan_bounds_active_cues(plan: str, limit: int) -> None:
    below = Account(plan=PLANS[plan], active_cues=limit - 1)
    when(create(), below).then(created())
    when(create(), Account(plan=PLANS[plan], active_cues=limit)).then(refused("cue_limit_exceeded"))


def test_without_enforcement_nothing_bounds_active_cues() -> None:
    when(create(), Account(active_cues=10_000)).then(created())
    when(create(), UNLIMITED).then(created())


def test_the_schedule_is_judged_before_the_name_and_the_name_before_the_limit() -> None:
    wrong = create(schedule=Schedule(cron="never"))
    when(wrong, FULL, name_taken=True).then(refused("invalid_schedule"))
    when(create(), FULL, name_taken=True).then(refused("duplicate_cue_name"))
    when(create(), FULL).then(refused("cue_limit_exceeded"))
