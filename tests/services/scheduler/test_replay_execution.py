from __future__ import annotations

from typing import Any

import pytest

from libs.events.base import Event, Reference, Transport
from libs.events.cues import (
    CueDeleted,
    ReplayExecution,
    evolve,
)
from libs.events.execution_events import ExecutionScheduled
from libs.events.execution_rows import (
    TERMINAL,
    status,
)
from services.scheduler.decider.firing import replay_execution
from tests.services.dispatcher.examples import STAGES
from tests.services.scheduler.deciding import Decided, given, refused
from tests.services.scheduler.examples import (
    ACCOUNT_ID,
    EXECUTION_ID,
    FREE,
    HOUR,
    NOON,
    TRACE,
    UNCLAIMED,
    created,
    fired,
    once,
    paused,
)

NOW = NOON + 10 * HOUR
NEW_ID = "660e8400-e29b-41d4-a716-446655440001"
PAYLOAD = Reference(sha256="ef" * 32, task="of the old one")
COMMAND = ReplayExecution(account_id=ACCOUNT_ID, replayed_id=EXECUTION_ID, execution_id=NEW_ID)

ENDED = {name: past for name, past in STAGES.items() if status(given(*past).state) in TERMINAL}
OPEN = {name: past for name, past in STAGES.items() if name not in ENDED}


def when_replayed(execution: Any, *cue: Event) -> Decided:
    return given(*cue).when(
        lambda state: replay_execution(COMMAND, execution, state, FREE, NOW, UNCLAIMED, TRACE)
    )


def replay(**changes: Any) -> ExecutionScheduled:
    return fired(
        NOW,
        execution_id=NEW_ID,
        triggered_by="replay",
        replayed_from=EXECUTION_ID,
        traceparent=TRACE,
        **changes,
    )


@pytest.mark.parametrize("past", ENDED.values(), ids=ENDED)
def test_an_ended_execution_is_made_anew_with_its_payload(past: tuple[Event, ...]) -> None:
    old = given(*past).state
    when_replayed(old, created()).then(replay(payload=old.facts.payload))


@pytest.mark.parametrize("past", OPEN.values(), ids=OPEN)
def test_an_execution_in_flight_cannot_be_replayed(past: tuple[Event, ...]) -> None:
    when_replayed(given(*past).state, created()).then(refused("execution_in_flight"))


def test_the_payload_is_the_old_executions_and_all_else_the_cues() -> None:
    old = given(fired(NOON, payload=PAYLOAD, blocked="execution_limit_exceeded")).state
    when_replayed(old, created(transport=Transport.WORKER)).then(
        replay(payload=PAYLOAD, transport=Transport.WORKER, expires_at=NOW + UNCLAIMED)
    )


def test_a_replay_is_neither_counted_as_a_fire_nor_ends_a_once_cue() -> None:
    for past in ((created(),), (once(),), (created(), paused(NOON))):
        before = given(*past).state
        assert evolve(before, replay()) == before


def test_what_is_not_there_cannot_be_replayed() -> None:
    old = given(*ENDED["failed"]).state
    when_replayed(None, created()).then(refused("execution_not_found"))
    when_replayed(old).then(refused("execution_not_found"))
    when_replayed(old, created(), CueDeleted(at=NOON)).then(refused("execution_not_found"))
