"""Any number of replicas take due rows, and no row is taken by two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from libs.events.base import Transport
from libs.events.cues import (
    CuePaused,
)
from libs.events.examples import AT, example
from libs.events.execution_events import AttemptStarted, AttemptSucceeded
from libs.events.log import PostgresLog, PostgresUnit
from libs.events.quarantine import Batch
from services.dispatcher import queries as dispatcher
from services.outcomes import queries as outcomes
from services.scheduler import queries as scheduler
from tests.libs.events.streams_of import META, new_cue, new_execution

pytestmark = pytest.mark.integration

SECONDS = 20.0
COUNT = 60

Take = Callable[[PostgresUnit, int], Awaitable[list[str]]]


async def due_cues(unit: PostgresUnit, limit: int) -> list[str]:
    return await scheduler.take_due(unit, Batch(limit), [])


async def due_deliveries(unit: PostgresUnit, limit: int) -> list[str]:
    found = await dispatcher.take_due(unit, Batch(limit), saturated=[], held=[])
    return [item.execution.facts.id for item in found]


async def due_outcomes(unit: PostgresUnit, limit: int) -> list[str]:
    return [execution.facts.id for execution, _ in await outcomes.take_due(unit, Batch(limit))]


TAKERS = pytest.mark.parametrize(
    "take", [due_cues, due_deliveries, due_outcomes], ids=lambda take: take.__name__
)


@pytest.fixture(scope="module", autouse=True)
async def everything_is_due(postgres_log: PostgresLog) -> None:
    """As many cues, deliveries and outcomes that are due now."""
    async with postgres_log.transaction() as unit:
        for number in range(COUNT):
            cue = new_cue(next_run=AT - timedelta(minutes=number))
            unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
        cue = new_cue()
        unit.record("cue", cue.cue_id, cue.account_id, [cue, CuePaused(at=AT)], META)
        for number in range(COUNT):
            slot = AT - timedelta(minutes=number)
            run = replace(new_execution(cue, slot), due_at=slot, transport=Transport.WEBHOOK)
            unit.record("execution", run.execution_id, cue.account_id, [run], META)
            answered = replace(example(AttemptSucceeded), report=None, outcome_deadline_at=slot)
            run = replace(new_execution(cue, slot, "manual_fire"), due_at=slot)
            events = [run, example(AttemptStarted), answered]
            unit.record("execution", run.execution_id, cue.account_id, events, META)


@TAKERS
async def test_what_one_holds_the_other_passes_over(postgres_log: PostgresLog, take: Take) -> None:
    async with asyncio.timeout(SECONDS):
        async with postgres_log.transaction() as first, postgres_log.transaction() as second:
            taken = [await take(first, COUNT // 2), await take(second, COUNT)]
        assert len(taken[0]) == COUNT // 2
        assert len(taken[1]) == COUNT - COUNT // 2
        assert not set(taken[0]) & set(taken[1])


@TAKERS
async def test_what_was_held_and_not_decided_is_taken_by_another(
    postgres_log: PostgresLog, take: Take
) -> None:
    async with postgres_log.transaction() as unit:
        first = await take(unit, COUNT)
    async with postgres_log.transaction() as unit:
        assert await take(unit, COUNT) == first


@TAKERS
async def test_the_longest_due_comes_first(postgres_log: PostgresLog, take: Take) -> None:
    async with postgres_log.transaction() as unit:
        all_of_them = await take(unit, COUNT)
    async with postgres_log.transaction() as unit:
        assert await take(unit, 5) == all_of_them[:5]


async def test_eight_takers_decide_each_row_once(postgres_log: PostgresLog) -> None:
    decided: list[str] = []

    async def work() -> None:
        while True:
            async with postgres_log.transaction() as unit:
                taken = await due_cues(unit, 7)
                for cue_id in taken:
                    account_id = unit.state("cue", cue_id).facts.account_id
                    unit.record("cue", cue_id, account_id, [CuePaused(at=unit.now)], META)
            decided.extend(taken)
            if not taken:
                return

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work())
    async with postgres_log.transaction() as unit:
        assert await due_cues(unit, COUNT) == []
    assert len(decided) == len(set(decided)) == COUNT
