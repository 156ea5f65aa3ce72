from __future__ import annotations

from datetime import datetime

from libs.events.base import Event
from libs.events.cues import (
    CueCompleted,
    CueDeleted,
    CueFailed,
    SlotsSkipped,
    row,
)
from services.scheduler.decider.cues import delete_cue
from tests.services.scheduler.deciding import Decided, events_of, given, refused
from tests.services.scheduler.examples import (
    EXECUTION_ID,
    HOUR,
    MINUTE,
    NOON,
    created,
    delete,
    fired,
    once,
    paused,
)

LATER = NOON + 3 * HOUR + 5 * MINUTE


def when_deleted(*past: Event, now: datetime = LATER) -> Decided:
    return given(*past).when(lambda cue: delete_cue(delete(), cue, now))


def test_a_deleted_cue_is_gone_and_fires_no_more() -> None:
    now = NOON + MINUTE
    decided = when_deleted(created(), now=now)
    decided.then(CueDeleted(at=now))
    gone = row(given(created(), *events_of(decided)).state)
    assert (gone["status"], gone["next_run"]) == ("deleted", None)


def test_slots_that_were_due_are_on_record_as_skipped() -> None:
    skipped = SlotsSkipped(
        at=LATER,
        first=NOON + HOUR,
        last=NOON + 3 * HOUR,
        count=3,
        reason="deleted",
        next_run=NOON + 4 * HOUR,
    )
    when_deleted(created()).then(skipped, CueDeleted(at=LATER))


def test_slots_that_passed_in_a_pause_are_on_record_as_paused() -> None:
    skipped = SlotsSkipped(
        at=LATER,
        first=NOON + HOUR,
        last=NOON + 3 * HOUR,
        count=3,
        reason="paused",
        next_run=NOON + 4 * HOUR,
    )
    when_deleted(created(), paused(NOON + MINUTE)).then(skipped, CueDeleted(at=LATER))


def test_an_unfired_once_cue_leaves_its_one_slot_on_record() -> None:
    slot = NOON + 2 * HOUR
    when_deleted(once()).then(
        SlotsSkipped(at=LATER, first=slot, last=slot, count=1, reason="deleted", next_run=None),
        CueDeleted(at=LATER),
    )
    when_deleted(once(), paused(NOON)).then(
        SlotsSkipped(at=LATER, first=slot, last=slot, count=1, reason="paused", next_run=None),
        CueDeleted(at=LATER),
    )


def test_a_cue_in_any_stage_can_be_deleted() -> None:
    ran = (once(), fired(NOON + 2 * HOUR))
    for end in (CueCompleted, CueFailed):
        ended = end(at=NOON + 2 * HOUR, execution_id=EXECUTION_ID)
        when_deleted(*ran, ended).then(CueDeleted(at=LATER))


def test_what_is_not_there_cannot_be_deleted() -> None:
    when_deleted().then(refused("cue_not_found"))
    when_deleted(created(), CueDeleted(at=NOON)).then(refused("cue_not_found"))
