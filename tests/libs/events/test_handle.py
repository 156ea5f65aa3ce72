"""A micro-batch of commands, on both forms of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from typing_extensions import override

from libs.events.base import Command, Rejection, Value
from libs.events.envelope import CommandEnvelope, Meta, Reply, decode
from libs.events.examples import example
from libs.events.execution_commands import RequestVerification
from libs.events.handle import handle
from libs.events.log import LogUnit, PostgresLog, PostgresUnit
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Conflict
from tests.libs.events.forms import Form, InMemory
from tests.libs.events.shop import EXISTS, MISSING, Poison, Shop, create, delete, envelope_of

POISON = example(RequestVerification)
SECONDS = 20.0


async def ask(form: Form, *envelopes: CommandEnvelope) -> list[Reply]:
    return await handle(form.log, envelopes, Shop())


async def ask_at_once(form: Form, envelopes: Sequence[CommandEnvelope]) -> list[Reply]:
    async with asyncio.timeout(SECONDS):
        replies = await asyncio.gather(*(ask(form, envelope) for envelope in envelopes))
    return [reply for batch in replies for reply in batch]


def answer(reply: Reply) -> Any:
    return decode(bytes(reply.answer), dict) if reply.answer else None


def told(reply: Reply) -> tuple[Any, ...]:
    """What a reply says, however its JSON is spaced."""
    return reply.command_id, answer(reply), reply.rejection, reply.replayed, reply.unavailable


async def test_an_accepted_command_is_answered_when_its_events_are_there(form: Form) -> None:
    command = create()
    envelope = envelope_of(command)
    (reply,) = await ask(form, envelope)
    assert answer(reply) == {"cue_id": command.cue_id, "version": 1}
    assert (reply.command_id, reply.rejection, reply.replayed) == (envelope.id, None, False)
    assert len(await form.stream(f"cue-{command.cue_id}")) == 1


async def test_a_batch_is_answered_in_its_order(form: Form) -> None:
    first, other = create(), create()
    commands = [first, delete(other), delete(first), create(), first]
    envelopes = [envelope_of(command) for command in commands]
    replies = await ask(form, *envelopes)
    assert [reply.command_id for reply in replies] == [envelope.id for envelope in envelopes]
    assert [reply.rejection for reply in replies] == [None, MISSING, None, None, EXISTS]


async def test_an_accepted_command_that_comes_again_gets_the_same_answer(form: Form) -> None:
    command = create()
    envelope = envelope_of(command)
    (first,) = await ask(form, envelope)
    await ask(form, envelope_of(delete(command)))
    (again,) = await ask(form, envelope)
    assert told(again) == told(first)
    assert len(await form.stream(f"cue-{command.cue_id}")) == 2


async def test_a_refused_command_that_comes_again_is_refused_again(form: Form) -> None:
    command = create()
    envelope = envelope_of(delete(command))
    first = await ask(form, envelope)
    await ask(form, envelope_of(command))
    assert await ask(form, envelope) == first
    assert first[0].rejection == MISSING
    assert len(await form.stream(f"cue-{command.cue_id}")) == 1


async def test_a_command_that_comes_twice_in_a_batch_is_handled_once(form: Form) -> None:
    command = create()
    envelope = envelope_of(command)
    first, second = await ask(form, envelope, envelope)
    assert first == second
    assert first.rejection is None
    assert len(await form.stream(f"cue-{command.cue_id}")) == 1


async def test_a_known_command_among_new_ones_spoils_nothing(form: Form) -> None:
    known, new = envelope_of(create()), envelope_of(create())
    (first,) = await ask(form, known)
    again, fresh = await ask(form, known, new)
    assert told(again) == told(first)
    assert fresh.rejection is None


async def test_one_command_fifty_times_at_once_is_handled_once(form: Form) -> None:
    command = create()
    replies = await ask_at_once(form, [envelope_of(command)] * 50)
    assert len(replies) == 50
    assert all(told(reply) == told(replies[0]) for reply in replies)
    assert replies[0].rejection is None
    assert len(await form.stream(f"cue-{command.cue_id}")) == 1


async def test_a_key_used_again_gets_the_first_answer(form: Form) -> None:
    account_id = new_uuid()
    first_command, again = create(account_id), envelope_of(create(account_id), key="k-1")
    (first,) = await ask(form, envelope_of(first_command, key="k-1"))
    (second,) = await ask(form, again)
    assert told(second) == told(replace(first, command_id=again.id, replayed=True))
    assert answer(second) == {"cue_id": first_command.cue_id, "version": 1}


async def test_a_key_used_with_another_body_is_refused(form: Form) -> None:
    account_id = new_uuid()
    other = create(account_id)
    await ask(form, envelope_of(create(account_id), key="k-1"))
    (reply,) = await ask(form, envelope_of(other, key="k-1", request_hash="h-2"))
    assert reply.rejection is not None
    assert reply.rejection.code == "idempotency_key_conflict"
    assert await form.stream(f"cue-{other.cue_id}") == []


async def test_a_key_is_an_accounts_own(form: Form) -> None:
    await ask(form, envelope_of(create(), key="k-1"))
    (reply,) = await ask(form, envelope_of(create(), key="k-1", request_hash="h-2"))
    assert reply.rejection is None
    assert not reply.replayed


async def test_a_refusal_does_not_use_the_key_up(form: Form) -> None:
    command = create()
    (refused,) = await ask(form, envelope_of(delete(command), key="k-1"))
    await ask(form, envelope_of(command))
    (accepted,) = await ask(form, envelope_of(delete(command), key="k-1", request_hash="h-2"))
    assert refused.rejection == MISSING
    assert accepted.rejection is None


async def test_a_key_that_comes_twice_in_a_batch_is_used_once(form: Form) -> None:
    account_id = new_uuid()
    commands = [create(account_id), create(account_id)]
    first, second = await ask(form, *(envelope_of(command, key="k-1") for command in commands))
    assert answer(first) == answer(second)
    assert (first.replayed, second.replayed) == (False, True)
    assert await form.stream(f"cue-{commands[1].cue_id}") == []


async def test_one_key_fifty_times_at_once_makes_one_cue(form: Form) -> None:
    account_id = new_uuid()
    commands = [create(account_id) for _ in range(50)]
    replies = await ask_at_once(form, [envelope_of(command, key="k-1") for command in commands])
    assert all(answer(reply) == answer(replies[0]) for reply in replies)
    assert sorted(reply.replayed for reply in replies) == [False] + [True] * 49
    made = [command for command in commands if await form.row("cue", command.cue_id)]
    assert len(made) == 1


async def test_one_key_with_fifty_bodies_at_once_makes_one_cue(form: Form) -> None:
    account_id = new_uuid()
    envelopes = [envelope_of(create(account_id), "k-1", f"h-{number}") for number in range(50)]
    replies = await ask_at_once(form, envelopes)
    codes = [reply.rejection.code for reply in replies if reply.rejection is not None]
    assert codes == ["idempotency_key_conflict"] * 49


async def test_a_command_that_breaks_its_handler_does_not_spoil_the_others(form: Form) -> None:
    before, after = create(), create()
    envelopes = [envelope_of(before), envelope_of(POISON), envelope_of(after)]
    replies = await ask(form, *envelopes)
    assert [reply.command_id for reply in replies] == [envelopes[0].id, envelopes[2].id]
    assert all(reply.rejection is None for reply in replies)
    for command in (before, after):
        assert len(await form.stream(f"cue-{command.cue_id}")) == 1


async def test_alone_a_command_that_breaks_its_handler_says_so(form: Form) -> None:
    with pytest.raises(Poison):
        await ask(form, envelope_of(POISON))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"command": msgspec.Raw(b"{}")},
        {"command": msgspec.Raw(b'{"account_id": 7}')},
        {"type": "Rm"},
    ],
    ids=["lacks fields", "wrong types", "unknown"],
)
async def test_a_command_that_cannot_be_read_is_refused(
    form: Form, spoilt: dict[str, object]
) -> None:
    unreadable = replace(envelope_of(create()), **spoilt)
    refused, accepted = await ask(form, unreadable, envelope_of(create()))
    assert refused.rejection is not None
    assert refused.rejection.code == "validation_error"
    assert accepted.rejection is None


async def test_the_events_name_the_command_that_caused_them() -> None:
    metas: list[Meta] = []

    class Noting(Shop):
        @override
        def handle(self, unit: LogUnit, command: Command, meta: Meta) -> Value | Rejection:
            metas.append(meta)
            return super().handle(unit, command, meta)

    envelope = envelope_of(create())
    await handle(InMemory().log, [envelope], Noting())
    assert metas == [replace(envelope.meta, causation_id=envelope.id)]


class Overtaken(Shop):
    """Another transaction is first, as many times as it is told."""

    def __init__(self, form: Form, times: int, only: str | None = None) -> None:
        self._form = form
        self._times = times
        self._only = only
        self.loads = 0

    @override
    async def load(self, unit: LogUnit, commands: Sequence[Command]) -> None:
        self.loads += 1
        await super().load(unit, commands)
        cursed = self._only in (None, *(getattr(c, "cue_id", None) for c in commands))
        if cursed and self.loads <= self._times:
            for command in commands:
                await ask(self._form, envelope_of(command))


async def test_who_was_overtaken_decides_again_on_what_is_there_now(form: Form) -> None:
    command = create()
    desk = Overtaken(form, times=1)
    (reply,) = await handle(form.log, [envelope_of(command)], desk)
    assert reply.rejection == EXISTS
    assert desk.loads == 2


class Unlucky(Shop):
    """Every transaction with this cue is in conflict."""

    def __init__(self, cue_id: str) -> None:
        self._cue_id = cue_id

    @override
    async def load(self, unit: LogUnit, commands: Sequence[Command]) -> None:
        await super().load(unit, commands)
        if self._cue_id in [getattr(command, "cue_id", None) for command in commands]:
            raise Conflict("always")


async def test_who_is_always_overtaken_gives_up(form: Form) -> None:
    command = create()
    envelope = envelope_of(command)
    replies = await handle(form.log, [envelope], Unlucky(command.cue_id))
    assert replies == [Reply(command_id=envelope.id, unavailable=True)]


async def test_who_is_always_overtaken_does_not_spoil_the_others(form: Form) -> None:
    commands = [create() for _ in range(3)]
    envelopes = [envelope_of(command) for command in commands]
    replies = await handle(form.log, envelopes, Unlucky(commands[1].cue_id))
    assert [reply.command_id for reply in replies] == [envelope.id for envelope in envelopes]
    assert [reply.unavailable for reply in replies] == [False, True, False]


@pytest.mark.integration
async def test_without_postgres_no_command_is_answered(postgres_log: PostgresLog) -> None:
    class Severed(Shop):
        @override
        async def load(self, unit: LogUnit, commands: Sequence[Command]) -> None:
            assert isinstance(unit, PostgresUnit)
            await unit.connection.execute("select pg_terminate_backend(pg_backend_pid())")

    envelopes = [envelope_of(create()) for _ in range(3)]
    replies = await handle(postgres_log, envelopes, Severed())
    assert replies == [Reply(command_id=e.id, unavailable=True) for e in envelopes]
    again = await handle(postgres_log, envelopes, Shop())
    assert [reply.rejection for reply in again] == [None] * 3
