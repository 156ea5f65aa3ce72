"""`on_failure.pause`: once for each execution, and its user has the last word (contract §9)."""

from __future__ import annotations

import pytest

from libs.events.base import Event, Transport
from libs.events.cue_settings import (
    OnFailure,
)
from libs.events.cues import (
    CuePaused,
    CueResumed,
    SlotsSkipped,
)
from libs.events.log import PostgresLog
from services.scheduler.decider.cues import Move, pause_on_failure
from services.scheduler.handlers import pause_failing_cues
from tests.services.alerts.story import Story, execution_of
from tests.services.dispatcher.examples import STAGES, reported
from tests.services.scheduler import examples
from tests.services.scheduler.deciding import Decided, given
from tests.services.scheduler.examples import (
    EXECUTION_ID,
    HOURLY,
    MINUTE,
    NOON,
    created,
    once,
    paused,
)

PAUSE = OnFailure(pause=True)
WANTS = created(schedule=HOURLY, on_failure=PAUSE)
NOW = NOON + 2 * MINUTE
FAILED_AT = NOON + MINUTE
PAUSED = CuePaused(at=NOW, reason="on_failure")

FINAL = (
    "failed",
    "failed and reported",
    "reported failure",
    "worker failure",
    "worker failed",
    "missed",
)


def failing(*past: Event, stage: str = "failed", moves: tuple[Move, ...] = ()) -> Decided:
    execution = given(*STAGES[stage]).state
    return given(*past).when(lambda cue: pause_on_failure(cue, execution, FAILED_AT, moves, NOW))


@pytest.mark.parametrize("stage", FINAL)
def test_a_final_failure_pauses_a_cue_that_wants_it(stage: str) -> None:
    failing(WANTS, stage=stage).then(PAUSED)


@pytest.mark.parametrize("stage", sorted(set(STAGES) - set(FINAL)))
def test_nothing_else_does(stage: str) -> None:
    failing(WANTS, stage=stage).then()


def test_a_failure_that_an_outcome_belies_does_not() -> None:
    execution = given(*STAGES["failed"], reported()).state
    given(WANTS).when(lambda cue: pause_on_failure(cue, execution, FAILED_AT, (), NOW)).then()


def test_a_cue_that_does_not_want_it_goes_on() -> None:
    failing(created()).then()


def test_once_cues_and_paused_ones_are_left_alone() -> None:
    failing(once(on_failure=PAUSE)).then()
    failing(WANTS, paused(NOON)).then()


def test_slots_that_were_due_are_on_record_as_skipped() -> None:
    late = NOON + examples.HOUR + MINUTE
    execution = given(*STAGES["failed"]).state
    given(WANTS).when(lambda cue: pause_on_failure(cue, execution, FAILED_AT, (), late)).then(
        SlotsSkipped(
            at=late,
            first=NOON + examples.HOUR,
            last=NOON + examples.HOUR,
            count=1,
            reason="paused",
            next_run=NOON + 2 * examples.HOUR,
        ),
        CuePaused(at=late, reason="on_failure"),
    )


def test_who_resumed_after_the_failure_has_the_last_word() -> None:
    failing(WANTS, moves=(Move(at=FAILED_AT, cause="request"),)).then()
    failing(WANTS, moves=(Move(at=NOON, cause="request"),)).then(PAUSED)


def test_an_execution_pauses_once() -> None:
    failing(WANTS, moves=(Move(at=NOON, cause=EXECUTION_ID),)).then()


@pytest.mark.integration
async def test_a_failure_told_twice_does_not_pause_what_was_resumed(
    postgres_log: PostgresLog,
) -> None:
    story = Story(postgres_log, on_failure=PAUSE)
    await story.begin()
    notices = await story.failure()
    assert await pause_failing_cues(postgres_log, notices) == 1
    assert await pause_failing_cues(postgres_log, notices) == 0
    resumed = CueResumed(at=await story.now(), next_run=None)
    await story.tell("cue", story.cue_id, resumed)
    assert await pause_failing_cues(postgres_log, notices) == 0
    reports = await story.tell(
        "execution", execution_of(notices), reported(success=False, at=await story.now())
    )
    assert await pause_failing_cues(postgres_log, reports) == 0
    assert await pause_failing_cues(postgres_log, await story.failure()) == 1
    [cue] = await postgres_log.database.rows(
        "select status from cues where id = %s", [story.cue_id]
    )
    assert cue["status"] == "paused"


@pytest.mark.integration
async def test_unclaimed_work_pauses_too(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log, on_failure=PAUSE, transport=Transport.WORKER)
    await story.begin()
    unclaimed = await story.execution(*STAGES["missed"][1:])
    assert await pause_failing_cues(postgres_log, unclaimed) == 1
