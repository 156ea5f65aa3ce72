from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from libs.events.base import Event, Reference, Transport
from libs.events.cues import (
    CueCompleted,
    CueDeleted,
    CueFailed,
    FireCue,
    evolve,
    row,
    status,
)
from libs.events.execution_events import ExecutionScheduled
from services.scheduler.decider.firing import fire_cue
from services.scheduler.decider.limits import Account
from tests.services.scheduler.deciding import Decided, given, refused
from tests.services.scheduler.examples import (
    ACCOUNT_ID,
    CUE_ID,
    EXECUTION_ID,
    FREE,
    HOUR,
    MINUTE,
    NOON,
    SETTINGS,
    TRACE,
    UNCLAIMED,
    created,
    fired,
    once,
    paused,
)

NOW = NOON + 10 * MINUTE
OTHER = Reference(sha256="cd" * 32, task="other")
RAN = (once(), fired(NOON + 2 * HOUR))
STAGES = {
    "active": (created(),),
    "paused": (created(), paused(NOON)),
    "completed": (*RAN, CueCompleted(at=NOON + 2 * HOUR, execution_id=EXECUTION_ID)),
    "failed": (*RAN, CueFailed(at=NOON + 2 * HOUR, execution_id=EXECUTION_ID)),
}


def when_fired(*past: Event, account: Account = FREE, **wishes: Any) -> Decided:
    command = FireCue(account_id=ACCOUNT_ID, cue_id=CUE_ID, execution_id=EXECUTION_ID, **wishes)
    return given(*past).when(lambda cue: fire_cue(command, cue, account, NOW, UNCLAIMED, TRACE))


def manual(due_at: datetime = NOW, **changes: Any) -> ExecutionScheduled:
    return fired(
        NOW,
        scheduled_for=due_at,
        due_at=due_at,
        triggered_by="manual_fire",
        traceparent=TRACE,
        **changes,
    )


def test_a_fire_makes_one_execution_now_with_the_cues_payload() -> None:
    when_fired(created()).then(manual(payload=SETTINGS.payload))


def test_a_fire_may_bring_its_own_payload() -> None:
    when_fired(created(), payload=OTHER).then(manual(payload=OTHER))
    when_fired(created(), payload=Reference()).then(manual(payload=Reference()))


def test_a_fire_may_be_held_until_later() -> None:
    when_fired(created(), send_at=NOW + HOUR).then(manual(NOW + HOUR))


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(microseconds=1), timedelta(days=400)])
def test_a_fire_for_the_past_is_for_now(ago: timedelta) -> None:
    when_fired(created(), send_at=NOW - ago).then(manual())


def test_a_workers_execution_is_missed_after_a_while_unclaimed() -> None:
    worker = created(transport=Transport.WORKER)
    when_fired(worker).then(manual(transport=Transport.WORKER, expires_at=NOW + UNCLAIMED))
    held = NOW + HOUR
    when_fired(worker, send_at=held).then(
        manual(held, transport=Transport.WORKER, expires_at=held + UNCLAIMED)
    )


@pytest.mark.parametrize("past", STAGES.values(), ids=STAGES)
def test_a_cue_fires_in_every_stage_and_stays_as_it_is(past: tuple[Event, ...]) -> None:
    event = when_fired(*past).verdict
    assert isinstance(event, ExecutionScheduled)
    before = given(*past).state
    after = evolve(before, event)
    assert status(after) == status(before)
    assert row(after)["next_run"] == row(before)["next_run"]
    assert row(after)["settling_id"] == row(before)["settling_id"]
    assert after.facts.fired_count == before.facts.fired_count + 1


def test_a_cue_that_is_not_there_cannot_fire() -> None:
    when_fired().then(refused("cue_not_found"))
    when_fired(created(), CueDeleted(at=NOON)).then(refused("cue_not_found"))
