"""How a `once` cue ends with its one scheduled run (contract §4, first table)."""

from __future__ import annotations

import pytest

from libs.events.base import Event
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    CueCompleted,
    CueDeleted,
    CueFailed,
    status,
)
from services.scheduler.decider.firing import settle_once
from tests.services.dispatcher.examples import STAGES, reported
from tests.services.scheduler.deciding import Decided, events_of, given
from tests.services.scheduler.examples import (
    EXECUTION_ID,
    HOUR,
    NOON,
    created,
    fired,
    once,
    paused,
    rescheduled,
)

NOW = NOON + 30 * HOUR
RAN = (once(), fired(NOON + 2 * HOUR))
COMPLETED = (*RAN, CueCompleted(at=NOON + 3 * HOUR, execution_id=EXECUTION_ID))
FAILED = (*RAN, CueFailed(at=NOON + 3 * HOUR, execution_id=EXECUTION_ID))

# (the run's stage): what becomes of an active cue, of a completed one, of a failed one
TABLE: dict[str, tuple[str, str, str]] = {
    "pending": ("active", "completed", "failed"),
    "delivering": ("active", "completed", "failed"),
    "retrying": ("active", "completed", "failed"),
    "lost": ("active", "completed", "failed"),
    "success": ("completed", "completed", "completed"),
    "answered": ("completed", "completed", "completed"),
    "reported": ("completed", "completed", "completed"),
    "reported failure": ("completed", "completed", "completed"),
    "reported early": ("completed", "completed", "completed"),
    "failed": ("failed", "completed", "failed"),
    "failed and reported": ("failed", "completed", "failed"),
    "blocked": ("failed", "completed", "failed"),
    "outcome_timeout": ("completed", "completed", "failed"),
    "cancelled": ("active", "completed", "failed"),
    "worker pending": ("active", "completed", "failed"),
    "worker pending again": ("active", "completed", "failed"),
    "claimed": ("active", "completed", "failed"),
    "worker success": ("completed", "completed", "completed"),
    "worker failure": ("failed", "completed", "failed"),
    "worker failed": ("failed", "completed", "failed"),
    "missed": ("failed", "completed", "failed"),
    "worker timeout": ("failed", "completed", "failed"),
}


def when_settled(cue: tuple[Event, ...], run: tuple[Event, ...]) -> Decided:
    execution = given(*run).state
    return given(*cue).when(lambda state: settle_once(state, execution, NOW))


def becomes(cue: tuple[Event, ...], run: tuple[Event, ...]) -> str:
    return status(given(*cue, *events_of(when_settled(cue, run))).state)


@pytest.mark.parametrize("stage", STAGES)
def test_a_once_cue_ends_with_its_run(stage: str) -> None:
    run = STAGES[stage]
    assert (becomes(RAN, run), becomes(COMPLETED, run), becomes(FAILED, run)) == TABLE[stage]


def test_settling_names_the_run_and_is_done_once() -> None:
    when_settled(RAN, STAGES["success"]).then(CueCompleted(at=NOW, execution_id=EXECUTION_ID))
    when_settled(RAN, STAGES["failed"]).then(CueFailed(at=NOW, execution_id=EXECUTION_ID))
    when_settled(COMPLETED, STAGES["success"]).then()
    when_settled(FAILED, STAGES["failed"]).then()


@pytest.mark.parametrize("stage", ["failed", "missed", "worker timeout", "worker failed"])
def test_a_late_outcome_completes_a_failed_cue(stage: str) -> None:
    assert becomes(FAILED, (*STAGES[stage], reported(at=NOW))) == "completed"
    assert becomes(FAILED, (*STAGES[stage], reported(success=False, at=NOW))) == "failed"


@pytest.mark.parametrize(
    "cue",
    [
        (created(), fired(NOON)),
        (once(),),
        (once(), fired(NOON, triggered_by="manual_fire")),
        (once(), fired(NOON, triggered_by="replay")),
        (once(), fired(NOON, execution_id="another")),
        (*RAN, paused(NOW)),
        (*RAN, CueDeleted(at=NOW)),
        (*RAN, rescheduled(NOW, Schedule(at=NOW + HOUR))),
        (*RAN, rescheduled(NOW, Schedule(cron="@hourly"))),
        (*FAILED, rescheduled(NOW, Schedule(at=NOW + HOUR), reactivated=True)),
        (),
    ],
    ids=[
        "recurring",
        "not fired",
        "fired by hand",
        "replayed",
        "another run",
        "paused",
        "deleted",
        "given another time",
        "made recurring",
        "active again",
        "never there",
    ],
)
@pytest.mark.parametrize("stage", ["success", "failed"])
def test_only_the_scheduled_run_of_a_once_cue_ends_it(cue: tuple[Event, ...], stage: str) -> None:
    when_settled(cue, STAGES[stage]).then()


def test_a_caught_up_run_ends_it_too() -> None:
    caught_up = (once(), fired(NOON + 5 * HOUR, triggered_by="catch_up"))
    assert becomes(caught_up, STAGES["success"]) == "completed"
    assert becomes(caught_up, STAGES["missed"]) == "failed"


def test_without_a_run_nothing_is_settled() -> None:
    assert settle_once(given(*RAN).state, None, NOW) == []
