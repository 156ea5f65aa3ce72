"""One row that cannot be dealt with stops none of the services' timers: the others are done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from libs.events.base import Transport
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.examples import AT, example
from libs.events.execution_events import AttemptStarted, AttemptSucceeded
from libs.events.log import PostgresLog
from libs.events.timers import Look
from libs.runtime.clock import utc_now
from libs.runtime.ids import new_uuid
from services.alerts.timers.windows import WatchWindows
from services.outcomes.timers import DecideDueOutcomes
from services.scheduler.timers import FireDueCues
from tests.libs.events.streams_of import META, new_cue, new_execution

pytestmark = pytest.mark.integration

COUNT = 5
UNREADABLE = "{}"
_LEFT = {
    "cues": "select id::text from cues where next_run <= now()",
    "outcomes": "select id::text from executions where outcome_due_at <= now()",
    "watches": "select cue_id as id from cue_watches where due_at <= now()",
}


async def appended() -> None:
    """Nobody listens."""


@pytest.fixture(autouse=True)
async def empty(postgres_log: PostgresLog) -> AsyncIterator[None]:
    """No rows are left by one test to the next."""
    yield
    await postgres_log.database.execute(
        "truncate events, cues, executions, usage, cue_activity, outcome_counts, cue_watches"
    )


async def until_quiet(run_once: Callable[[], Awaitable[Look]]) -> None:
    for _ in range(50):
        if not (await run_once()).more:
            return
    raise AssertionError("it looks again and again")


async def left(log: PostgresLog, what: str) -> list[str]:
    return [row["id"] for row in await log.database.rows(_LEFT[what])]


def firing(log: PostgresLog) -> FireDueCues:
    unclaimed = timedelta(hours=1)
    return FireDueCues(log, enforce_limits=False, unclaimed=unclaimed, on_appended=appended)


async def due_cues(log: PostgresLog) -> list[str]:
    slots = [utc_now() - timedelta(seconds=n) for n in range(COUNT)]
    cues = [new_cue(next_run=slot) for slot in slots]
    settings = [
        replace(cue.settings, schedule=Schedule(at=slot), catch_up="run_once_if_missed")
        for cue, slot in zip(cues, slots, strict=True)
    ]
    cues = [replace(cue, settings=each) for cue, each in zip(cues, settings, strict=True)]
    async with log.transaction() as unit:
        for cue in cues:
            unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
    return [cue.cue_id for cue in cues]


async def due_outcomes(log: PostgresLog) -> list[str]:
    ids = []
    async with log.transaction() as unit:
        cue = new_cue()
        unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
        for n in range(COUNT):
            slot = AT - timedelta(minutes=n)
            run = replace(new_execution(cue, slot), due_at=slot, transport=Transport.WEBHOOK)
            ack = replace(example(AttemptSucceeded), report=None, outcome_deadline_at=slot)
            events = [run, example(AttemptStarted), ack]
            unit.record("execution", run.execution_id, cue.account_id, events, META)
            ids.append(run.execution_id)
    return ids


async def make_unreadable(log: PostgresLog, table: str, key: str) -> None:
    changed = await log.database.execute(
        f"update {table} set state = %s where id::text = %s",
        [UNREADABLE, key],
    )
    assert changed == 1


async def test_a_cue_that_cannot_be_read_does_not_stop_the_others(
    postgres_log: PostgresLog,
) -> None:
    _, bad, *_ = await due_cues(postgres_log)
    await make_unreadable(postgres_log, "cues", bad)
    with capture_logs() as logs:
        await until_quiet(firing(postgres_log).run_once)
    assert await left(postgres_log, "cues") == [bad]
    [told] = [each for each in logs if each.get("row")]
    assert (told["row"], told["log_level"]) == (bad, "error")


async def test_a_slot_that_has_an_execution_already_does_not_stop_the_others(
    postgres_log: PostgresLog,
) -> None:
    bad, *_ = await due_cues(postgres_log)
    [row] = await postgres_log.database.rows(
        "select account_id::text, next_run from cues where id = %s", [bad]
    )
    cue = replace(new_cue(), cue_id=bad, account_id=row["account_id"])
    async with postgres_log.transaction() as unit:
        run = replace(new_execution(cue, row["next_run"]), due_at=None)
        await unit.lock("cue", [bad])
        unit.record("execution", run.execution_id, run.account_id, [run], META)
    await until_quiet(firing(postgres_log).run_once)
    assert await left(postgres_log, "cues") == [bad]


async def test_an_outcome_that_cannot_be_read_does_not_stop_the_others(
    postgres_log: PostgresLog,
) -> None:
    ids = await due_outcomes(postgres_log)
    await make_unreadable(postgres_log, "executions", ids[2])
    with capture_logs():
        await until_quiet(DecideDueOutcomes(postgres_log, on_appended=appended).run_once)
    assert await left(postgres_log, "outcomes") == [ids[2]]


async def test_a_watch_that_cannot_be_looked_at_does_not_stop_the_others(
    postgres_log: PostgresLog,
) -> None:
    ids = await due_cues(postgres_log)
    for key in ids:
        await postgres_log.database.execute(
            "insert into cue_watches (cue_id, account_id, cron, timezone, since, due_at)"
            " values (%s, %s, '0 0 1 1 *', 'UTC', now() - interval '1 hour', now())",
            [key, new_uuid()],
        )
    await make_unreadable(postgres_log, "cues", ids[2])
    with capture_logs():
        await until_quiet(WatchWindows(postgres_log, on_appended=appended).run_once)
    assert await left(postgres_log, "watches") == [ids[2]]
