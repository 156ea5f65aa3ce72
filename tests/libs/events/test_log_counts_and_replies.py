"""What both forms of the log promise of counts and of replies."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from libs.events.examples import AT, example
from libs.events.execution_events import AttemptStarted, AttemptSucceeded
from libs.events.unit import StoredResult
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Conflict
from tests.libs.events.forms import Form
from tests.libs.events.streams_of import META, declare, new_cue, new_execution, new_result

SECONDS = 10.0


async def keep(form: Form, kept: StoredResult) -> None:
    async with form.log.transaction() as unit:
        unit.answer(kept)


async def test_usage_is_counted_by_account_and_month(form: Form) -> None:
    cue = new_cue()
    runs = [
        new_execution(cue, AT + timedelta(days=days), triggered_by="scheduled") for days in range(3)
    ]
    runs[1] = replace(runs[1], starts_grace=True)
    runs[2] = replace(runs[2], blocked="limit")
    next_month = replace(new_execution(cue, AT + timedelta(days=40)), at=AT + timedelta(days=40))
    async with form.log.transaction() as unit:
        declare(unit, cue)
    for run in (*runs, next_month):
        async with form.log.transaction() as unit:
            await unit.lock("cue", [cue.cue_id])
            unit.record("execution", run.execution_id, cue.account_id, [run], META)
    counts = await form.usage(cue.account_id)
    found = [(part.period.month, part.executions, part.grace_started_at) for part in counts]
    assert sorted(found) == [(3, 2, AT), (4, 1, None)]


async def test_a_months_grace_begins_with_the_earliest_that_says_so(form: Form) -> None:
    cue = new_cue()
    async with form.log.transaction() as unit:
        declare(unit, cue)
    for hours in (5, 3, 4):
        at = AT + timedelta(hours=hours)
        run = replace(new_execution(cue, at), at=at, starts_grace=True)
        async with form.log.transaction() as unit:
            await unit.lock("cue", [cue.cue_id])
            unit.record("execution", run.execution_id, cue.account_id, [run], META)
    (counts,) = await form.usage(cue.account_id)
    assert counts.grace_started_at == AT + timedelta(hours=3)


async def test_a_cues_activity_adds_up(form: Form) -> None:
    cue = new_cue()
    ends = [AT + timedelta(minutes=minutes) for minutes in (9, 5)]
    async with form.log.transaction() as unit:
        declare(unit, cue)
    for end in ends:
        run = new_execution(cue, scheduled_for=end)
        answered = replace(example(AttemptSucceeded), at=end)
        events = [run, example(AttemptStarted), answered]
        async with form.log.transaction() as unit:
            await unit.lock("cue", [cue.cue_id])
            unit.record("execution", run.execution_id, cue.account_id, events, META)
    assert await form.activity(cue.cue_id) == (2, max(ends))


async def test_a_reply_is_found_by_its_commands_id(form: Form) -> None:
    kept = new_result(new_uuid())
    await keep(form, kept)
    async with form.log.transaction() as unit:
        assert await unit.stored_results([new_uuid(), kept.command_id], []) == [kept]


async def test_a_command_is_answered_once(form: Form) -> None:
    kept = new_result(new_uuid())
    await keep(form, kept)
    with pytest.raises(Conflict):
        await keep(form, kept)


async def test_a_reply_is_found_by_its_accounts_key(form: Form) -> None:
    account_id = new_uuid()
    kept = new_result(account_id, "k-1")
    await keep(form, kept)
    async with form.log.transaction() as unit:
        assert await unit.stored_results([], [(account_id, "k-1")]) == [kept]
        others = [(account_id, "k-2"), (new_uuid(), "k-1")]
        assert await unit.stored_results([], others) == []


async def test_a_key_is_used_once(form: Form) -> None:
    account_id = new_uuid()
    await keep(form, new_result(account_id, "k-1"))
    with pytest.raises(Conflict):
        await keep(form, new_result(account_id, "k-1"))


async def test_a_key_is_forgotten_after_a_day_and_may_be_used_again(form: Form) -> None:
    account_id = new_uuid()
    await keep(form, new_result(account_id, "k-1"))
    await form.let_a_day_pass()
    again = new_result(account_id, "k-1")
    async with form.log.transaction() as unit:
        assert await unit.stored_results([], [(account_id, "k-1")]) == []
        unit.answer(again)
    async with form.log.transaction() as unit:
        assert await unit.stored_results([], [(account_id, "k-1")]) == [again]


async def test_who_looks_a_key_up_is_first_until_the_commit(form: Form) -> None:
    account_id = new_uuid()
    pair = (account_id, "k-1")
    kept = new_result(account_id, "k-1")
    first_looked, release = asyncio.Event(), asyncio.Event()
    found: list[StoredResult] = []

    async def first() -> None:
        async with form.log.transaction() as unit:
            assert await unit.stored_results([], [pair]) == []
            first_looked.set()
            await release.wait()
            unit.answer(kept)

    async def second() -> None:
        await first_looked.wait()
        async with form.log.transaction() as unit:
            looking = asyncio.create_task(unit.stored_results([], [pair]))
            done, _ = await asyncio.wait([looking], timeout=0.1)
            assert not done, "the key was looked up while another transaction held it"
            release.set()
            found.extend(await looking)

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(first())
        group.create_task(second())
    assert found == [kept]
