"""What both forms of the log promise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from libs.events.cues import (
    CueDeleted,
    CuePaused,
    CueResumed,
    CueUpdated,
    status,
)
from libs.events.examples import AT, SETTINGS
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Conflict
from tests.libs.events.forms import Form
from tests.libs.events.streams_of import (
    META,
    declare,
    new_alert,
    new_cue,
    new_execution,
    new_result,
)

SECONDS = 10.0


async def declared(form: Form) -> str:
    """The id of a cue that was just declared."""
    cue = new_cue()
    async with form.log.transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
    return cue.cue_id


async def test_events_and_row_are_there_together_after_the_commit(form: Form) -> None:
    cue, paused = new_cue(), CuePaused(at=AT)
    async with form.log.transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue, paused], META)
        state = unit.state("cue", cue.cue_id)
    assert await form.stream(f"cue-{cue.cue_id}") == [(1, cue), (2, paused)]
    assert await form.row("cue", cue.cue_id) == (2, state)


async def test_nothing_is_seen_before_the_commit(form: Form) -> None:
    cue = new_cue()
    async with form.log.transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
        assert await form.row("cue", cue.cue_id) is None
        assert await form.stream(f"cue-{cue.cue_id}") == []


async def test_nothing_is_left_of_a_transaction_that_fails(form: Form) -> None:
    cue, kept = new_cue(), new_result(new_uuid())

    async def fail() -> None:
        async with form.log.transaction() as unit:
            unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
            unit.answer(kept)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await form.row("cue", cue.cue_id) is None
    async with form.log.transaction() as unit:
        assert await unit.stored_results([kept.command_id], []) == []


async def test_a_locked_stream_goes_on_where_it_was(form: Form) -> None:
    cue_id = await declared(form)
    async with form.log.transaction() as unit:
        await unit.lock("cue", [cue_id])
        assert unit.version("cue", cue_id) == 1
        account_id = unit.state("cue", cue_id).facts.account_id
        unit.record("cue", cue_id, account_id, [CuePaused(at=AT)], META)
        assert unit.version("cue", cue_id) == 2
        assert status(unit.state("cue", cue_id)) == "paused"
    assert [version for version, _ in await form.stream(f"cue-{cue_id}")] == [1, 2]


async def test_locking_leaves_out_what_does_not_exist(form: Form) -> None:
    cue_id = await declared(form)
    missing = new_cue().cue_id
    async with form.log.transaction() as unit:
        await unit.lock("cue", [missing, cue_id])
        assert unit.state("cue", cue_id) is not None
        assert unit.state("cue", missing) is None
        assert unit.version("cue", missing) == 0


async def test_locking_twice_keeps_what_was_recorded_in_between(form: Form) -> None:
    cue_id = await declared(form)
    async with form.log.transaction() as unit:
        await unit.lock("cue", [cue_id])
        unit.record("cue", cue_id, new_uuid(), [CuePaused(at=AT)], META)
        await unit.lock("cue", [cue_id])
        assert unit.version("cue", cue_id) == 2


async def test_a_lock_is_waited_for_and_then_shows_the_latest_state(form: Form) -> None:
    cue_id = await declared(form)
    first_holds, release = asyncio.Event(), asyncio.Event()
    versions: list[int] = []

    async def first() -> None:
        async with form.log.transaction() as unit:
            await unit.lock("cue", [cue_id])
            first_holds.set()
            await release.wait()
            unit.record("cue", cue_id, new_uuid(), [CuePaused(at=AT)], META)

    async def second() -> None:
        await first_holds.wait()
        async with form.log.transaction() as unit:
            waiting = asyncio.create_task(unit.lock("cue", [cue_id]))
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            assert not done, "the lock was had while another transaction held it"
            release.set()
            await waiting
            versions.append(unit.version("cue", cue_id))

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(first())
        group.create_task(second())
    assert versions == [2]


async def test_fifty_writers_of_one_stream_lose_no_version(form: Form) -> None:
    cue_id = await declared(form)

    async def toggle(number: int) -> None:
        async with form.log.transaction() as unit:
            await unit.lock("cue", [cue_id])
            event = CuePaused(at=AT) if number % 2 else CueResumed(at=AT, next_run=None)
            unit.record("cue", cue_id, new_uuid(), [event], META)

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(toggle(number))
    versions = [version for version, _ in await form.stream(f"cue-{cue_id}")]
    assert versions == list(range(1, 52))


async def test_a_version_of_a_stream_is_written_once(form: Form) -> None:
    cue = new_cue()
    async with form.log.transaction() as unit:
        declare(unit, cue)
    with pytest.raises(Conflict):
        async with form.log.transaction() as unit:
            declare(unit, replace(cue, settings=replace(SETTINGS, name="another")))
    assert await form.stream(f"cue-{cue.cue_id}") == [(1, cue)]


async def test_of_two_who_begin_one_stream_at_once_one_is_first(form: Form) -> None:
    cue = new_cue()

    async def begin(while_open: Callable[[], Awaitable[None]]) -> None:
        async with form.log.transaction() as unit:
            await unit.lock("cue", [cue.cue_id])
            assert unit.state("cue", cue.cue_id) is None
            await while_open()
            declare(unit, cue)

    async def nothing() -> None: ...

    with pytest.raises(Conflict):
        await begin(while_open=partial(begin, nothing))
    assert await form.stream(f"cue-{cue.cue_id}") == [(1, cue)]


async def test_a_name_is_taken_once_in_an_account(form: Form) -> None:
    cue = new_cue(name="report")
    async with form.log.transaction() as unit:
        declare(unit, cue, new_cue(name="report"))
    with pytest.raises(Conflict):
        async with form.log.transaction() as unit:
            declare(unit, new_cue(cue.account_id, name="report"))


async def test_two_in_one_transaction_cannot_take_one_name(form: Form) -> None:
    cue = new_cue(name="report")
    with pytest.raises(Conflict):
        async with form.log.transaction() as unit:
            declare(unit, cue, new_cue(cue.account_id, name="report"))
    assert await form.row("cue", cue.cue_id) is None


async def test_the_name_of_a_deleted_cue_is_free_again(form: Form) -> None:
    cue = new_cue(name="report")
    async with form.log.transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue, CueDeleted(at=AT)], META)
    async with form.log.transaction() as unit:
        declare(unit, new_cue(cue.account_id, name="report"))


async def test_a_name_is_freed_and_taken_in_one_transaction(form: Form) -> None:
    cue = new_cue(name="report")
    async with form.log.transaction() as unit:
        declare(unit, cue)
    successor = new_cue(cue.account_id, name="report")
    async with form.log.transaction() as unit:
        await unit.lock("cue", [cue.cue_id])
        unit.record("cue", cue.cue_id, cue.account_id, [CueDeleted(at=AT)], META)
        declare(unit, successor)
    assert await form.row("cue", successor.cue_id) is not None


async def test_a_name_moves_with_a_rename(form: Form) -> None:
    cue = new_cue(name="report")
    renamed = CueUpdated(at=AT, settings=replace(SETTINGS, name="digest"), next_run=None)
    async with form.log.transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue, renamed], META)
    async with form.log.transaction() as unit:
        declare(unit, new_cue(cue.account_id, name="report"))
    with pytest.raises(Conflict):
        async with form.log.transaction() as unit:
            declare(unit, new_cue(cue.account_id, name="digest"))


@pytest.mark.parametrize("second", ["scheduled", "catch_up"])
async def test_a_slot_makes_one_execution(form: Form, second: str) -> None:
    cue = new_cue()
    first = new_execution(cue)
    async with form.log.transaction() as unit:
        declare(unit, cue)
        unit.record("execution", first.execution_id, cue.account_id, [first], META)
    twin = new_execution(cue, triggered_by=second)

    async def fire_again() -> None:
        async with form.log.transaction() as unit:
            await unit.lock("cue", [cue.cue_id])
            unit.record("execution", twin.execution_id, cue.account_id, [twin], META)

    with pytest.raises(Conflict):
        await fire_again()
    assert await form.row("execution", twin.execution_id) is None


@pytest.mark.parametrize("second", ["manual_fire", "replay"])
async def test_fires_and_replays_are_not_bound_to_a_slot(form: Form, second: str) -> None:
    cue = new_cue()
    runs = [new_execution(cue), *(new_execution(cue, triggered_by=second) for _ in range(2))]
    async with form.log.transaction() as unit:
        declare(unit, cue)
        for run in runs:
            unit.record("execution", run.execution_id, cue.account_id, [run], META)
    for run in runs:
        assert await form.row("execution", run.execution_id) is not None


async def test_an_episode_raises_one_alert(form: Form) -> None:
    cue = new_cue()
    first, again, other = (new_alert(cue, episode) for episode in ("e-1", "e-1", "e-2"))
    async with form.log.transaction() as unit:
        unit.record("alert", first.alert_id, cue.account_id, [first], META)
    with pytest.raises(Conflict):
        async with form.log.transaction() as unit:
            unit.record("alert", again.alert_id, cue.account_id, [again], META)
    async with form.log.transaction() as unit:
        unit.record("alert", other.alert_id, cue.account_id, [other], META)
    assert await form.row("alert", again.alert_id) is None
    assert await form.row("alert", other.alert_id) is not None


async def test_a_fire_moves_its_cue_without_a_version(form: Form) -> None:
    cue = new_cue()
    run = replace(new_execution(cue), next_run=AT + timedelta(days=2))
    async with form.log.transaction() as unit:
        declare(unit, cue)
    async with form.log.transaction() as unit:
        await unit.lock("cue", [cue.cue_id])
        unit.record("execution", run.execution_id, cue.account_id, [run], META)
    row = await form.row("cue", cue.cue_id)
    assert row is not None
    version, state = row
    assert version == 1
    assert state.next_run == run.next_run
    assert state.facts.fired_count == 1


async def test_now_stands_still_in_a_transaction(form: Form) -> None:
    async with form.log.transaction() as unit:
        before = unit.now
        await unit.lock("cue", [])
        assert unit.now == before
        assert before.utcoffset() == timedelta(0)
