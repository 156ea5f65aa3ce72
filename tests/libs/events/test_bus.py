"""Asking an owner over a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from typing_extensions import override

from deploy.local.nats import LocalNats
from deploy.local.waiting import until
from libs.events.answers import CueAnswer
from libs.events.bus import MESSAGE_BYTES, Bus, Refused, Unanswered
from libs.events.envelope import CommandEnvelope, Idempotency, Reply
from libs.events.log import PostgresLog
from libs.events.provision import provision
from libs.events.subjects import COMMANDS, EVENTS
from libs.runtime.clock import monotonic
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from tests.libs.events.receiving import SECONDS, is_done_with, receiving, shop_on
from tests.libs.events.shop import MISSING, create, delete
from tests.libs.events.streams_of import META
from tests.servers import NatsServer

pytestmark = pytest.mark.integration


async def test_an_accepted_command_is_answered(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    command = create()
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        answer = await bus.ask(command, meta=META)
    assert answer == CueAnswer(cue_id=command.cue_id, version=1)


async def test_a_refusal_carries_its_code(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        with pytest.raises(Refused) as refused:
            await bus.ask(delete(create()), meta=META)
    assert refused.value.rejection == MISSING


async def test_a_key_used_again_says_that_the_answer_is_the_first_one(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    command = create()
    key = Idempotency(key="k-1", request_hash="h-1")
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        first = await bus.ask_with_meta(command, meta=META, idempotency=key)
        again = await bus.ask_with_meta(create(command.account_id), meta=META, idempotency=key)
    assert (first[1], again[1]) == (False, True)
    assert first[0] == again[0]


async def test_fifty_askers_at_once_are_each_answered(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    commands = [create() for _ in range(50)]
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        answers = await asyncio.gather(*(bus.ask(command, meta=META) for command in commands))
    assert answers == [CueAnswer(cue_id=command.cue_id, version=1) for command in commands]


async def test_an_owner_without_its_database_answers_that_nothing_is_done(
    bus: Bus, owner: Bus, database: Database
) -> None:
    async def away(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        return [Reply(command_id=envelope.id, unavailable=True) for envelope in envelopes]

    async with receiving(owner, database, commands=away):
        with pytest.raises(Unanswered, match="database"):
            await bus.ask(create(), meta=META)


async def test_without_an_owner_nothing_is_answered_in_time(bus: Bus) -> None:
    began = monotonic()
    with pytest.raises(Unanswered, match=r"in 0\.3 s"):
        await bus.ask(create(), meta=META, timeout=0.3)
    assert 0.3 <= monotonic() - began < 2


class Forgetful(Bus):
    """Loses its first reply on the way."""

    lost = 0

    @override
    async def reply(self, to: str, replies: Reply | Sequence[Reply]) -> None:
        if not self.lost:
            self.lost += 1
            return
        await super().reply(to, replies)


async def test_a_command_whose_reply_was_lost_is_sent_again_and_answered_as_before(
    bus: Bus, nats: NatsServer, database: Database, postgres_log: PostgresLog
) -> None:
    command = create()
    forgetful = Forgetful(nats.url, "forgetful")
    async with receiving(forgetful, database, commands=shop_on(postgres_log)):
        answer = await bus.ask(command, meta=META)
    assert answer == CueAnswer(cue_id=command.cue_id, version=1)
    assert forgetful.lost == 1
    rows = await database.rows(
        "select 1 from events where stream_id = %s", [f"cue-{command.cue_id}"]
    )
    assert len(rows) == 1


async def test_a_reply_that_nobody_awaits_any_more_is_dropped(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    release = asyncio.Event()
    shop = shop_on(postgres_log)

    async def slow(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        await release.wait()
        return await shop(envelopes)

    async with receiving(owner, database, commands=slow):
        with pytest.raises(Unanswered):
            await bus.ask(create(), meta=META, timeout=0.2)
        release.set()
        await until(partial(is_done_with, bus, COMMANDS, "scheduler-commands"), SECONDS)
        await bus.ask(create(), meta=META)


async def test_a_message_is_published_once_under_its_id(bus: Bus) -> None:
    subject, message_id = "events.cue.CueCreated", new_uuid()
    first = await bus.publish(EVENTS, subject, b"[]", message_id)
    assert await bus.publish(EVENTS, subject, b"[]", message_id) == first
    assert await bus.publish(EVENTS, subject, b"[]", new_uuid()) == first + 1


async def test_a_message_for_no_stream_is_not_lost_silently(bus: Bus) -> None:
    with pytest.raises(Unanswered):
        await bus.publish(EVENTS, "nowhere.at.all", b"[]", new_uuid())
    with pytest.raises(Unanswered):
        await bus.publish(COMMANDS, "events.cue.CueCreated", b"[]", new_uuid())


async def test_a_message_over_the_bound_is_refused(bus: Bus) -> None:
    before = await bus.jetstream.stream_info(EVENTS)
    with pytest.raises(AssertionError, match="reference"):
        await bus.publish(EVENTS, "events.cue.CueCreated", b" " * (MESSAGE_BYTES + 1), new_uuid())
    after = await bus.jetstream.stream_info(EVENTS)
    assert after.state.messages == before.state.messages


async def test_a_nudge_reaches_who_listens(bus: Bus, owner: Bus) -> None:
    await owner.connect()
    heard: list[bool] = []
    await owner.on_nudge("relay", lambda: heard.append(True))

    async def nudged() -> bool:
        await bus.nudge("relay")
        return bool(heard)

    await until(nudged, SECONDS)


async def test_before_the_first_connection_nothing_is_answered(nats: NatsServer) -> None:
    bus = Bus(nats.url, "new")
    assert not bus.connected
    with pytest.raises(Unanswered):
        await bus.ask(create(), meta=META)
    await bus.nudge("relay")
    await bus.close()


async def test_without_a_broker_nothing_is_answered_at_once_and_later_it_is_again(
    bus: Bus, owner: Bus, nats: NatsServer, database: Database, postgres_log: PostgresLog
) -> None:
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        await bus.ask(create(), meta=META)
        await nats.kill()
        await until(partial(_is_away, bus), SECONDS)
        began = monotonic()
        with pytest.raises(Unanswered):
            await bus.ask(create(), meta=META)
        assert monotonic() - began < 0.5
        await bus.nudge("relay")
        await nats.start()
        await until(partial(_is_connected, bus), SECONDS)
        await provision(bus.jetstream)  # as the active relay does
        await bus.ask(create(), meta=META)


async def test_the_client_never_gives_up_and_soon_notices_a_broker_that_stands_still(
    bus: Bus,
) -> None:
    client = await bus.broker.connect()
    assert client.options["allow_reconnect"]
    assert client.options["max_reconnect_attempts"] == -1
    assert client.options["ping_interval"] * client.options["max_outstanding_pings"] <= 10


async def test_a_bus_closes_while_its_broker_is_away(nats: NatsServer) -> None:
    bus = Bus(nats.url, "leaving")
    await bus.connect()
    await nats.kill()
    await until(partial(_is_away, bus), SECONDS)
    async with asyncio.timeout(SECONDS):
        await bus.close()
        await bus.close()
    assert not bus.connected
    assert not bus.closed.is_set(), "a bus that was told to close does not end its process"
    await nats.start()


async def test_a_bus_goes_on_trying_to_connect_for_the_first_time(tmp_path: Path) -> None:
    server = LocalNats(tmp_path)
    bus = Bus(server.url, "early")
    connecting = asyncio.create_task(bus.connect())
    try:
        await server.start()
        async with asyncio.timeout(SECONDS):
            await connecting
        assert bus.connected
    finally:
        await bus.close()
        await server.kill()


async def _is_connected(bus: Bus) -> bool:
    return bus.connected


async def _is_away(bus: Bus) -> bool:
    return not bus.connected
