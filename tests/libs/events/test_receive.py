"""Receiving from a real broker: acknowledged after the commit, put back, parked, never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from deploy.local.waiting import until
from libs.events.bus import Bus
from libs.events.envelope import CommandEnvelope, Notice, Reply, encode
from libs.events.handle import handle
from libs.events.log import PostgresLog
from libs.events.provision import provision
from libs.events.receive import Receiver
from libs.events.subjects import COMMANDS, EVENTS, event_subject
from libs.runtime.health import Health
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from tests.libs.events.receiving import (
    REACTED,
    SECONDS,
    commands_done,
    events_done,
    notice_of,
    receiving,
    send,
    shop_on,
    tell,
)
from tests.libs.events.shop import Shop, create, envelope_of
from tests.libs.events.streams_of import META
from tests.servers import NatsServer, running_nats

pytestmark = pytest.mark.integration


async def in_hand(bus: Bus) -> int:
    info = await bus.jetstream.consumer_info(COMMANDS, "scheduler-commands")
    return info.num_ack_pending or 0


async def test_a_command_is_acknowledged_after_its_handler_and_not_before(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    committed, release = asyncio.Event(), asyncio.Event()
    shop = shop_on(postgres_log)

    async def slow(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        replies = await shop(envelopes)
        committed.set()
        await release.wait()
        return replies

    async with receiving(owner, database, commands=slow):
        await send(bus, envelope_of(create()))
        async with asyncio.timeout(SECONDS):
            await committed.wait()
        assert await in_hand(bus) == 1
        release.set()
        await commands_done(bus)
    assert (await bus.jetstream.stream_info(COMMANDS)).state.messages == 0


async def test_who_dies_between_commit_and_acknowledgement_repeats_nothing(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    command = create()
    deliveries = 0

    async def dying(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        nonlocal deliveries
        deliveries += 1
        replies = await handle(postgres_log, envelopes, Shop())
        if deliveries == 1:
            raise ConnectionResetError("the process is gone")
        return replies

    async with receiving(owner, database, commands=dying):
        answer = await bus.ask(command, meta=META)
        await commands_done(bus)
    assert deliveries == 2
    assert answer.version == 1  # type: ignore[attr-defined]
    stream = [f"cue-{command.cue_id}"]
    assert len(await database.rows("select 1 from events where stream_id = %s", stream)) == 1


async def test_what_is_in_hand_at_the_stop_is_finished(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    holding, release = asyncio.Event(), asyncio.Event()
    shop = shop_on(postgres_log)

    async def slow(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        holding.set()
        await release.wait()
        return await shop(envelopes)

    async with receiving(owner, database, commands=slow) as receiver:
        asking = asyncio.create_task(bus.ask(create(), meta=META))
        async with asyncio.timeout(SECONDS):
            await holding.wait()
            receiver.cancel()
            await asyncio.sleep(0)
            release.set()
            await asking
            await asyncio.wait([receiver])
    await commands_done(bus)


async def test_waiting_notices_reach_the_handler_together(
    bus: Bus, owner: Bus, database: Database
) -> None:
    batches: list[int] = []

    async def listen(notices: Sequence[Notice]) -> None:
        batches.append(len(notices))
        await database.rows("select pg_sleep(0.05)")  # what comes meanwhile waits

    for _ in range(40):
        await tell(bus, notice_of(REACTED), notice_of(REACTED))
    async with receiving(owner, database, events=listen):
        await events_done(bus)
    assert sum(batches) == 80
    assert len(batches) < 20


async def test_other_services_events_are_not_brought(
    bus: Bus, owner: Bus, database: Database
) -> None:
    heard: list[str] = []

    async def listen(notices: Sequence[Notice]) -> None:
        heard.extend(notice.type for notice in notices)

    for event_type in ("ExecutionScheduled", REACTED):
        notice = notice_of(event_type)
        await bus.publish(EVENTS, event_subject(event_type), encode([notice]), new_uuid())
    async with receiving(owner, database, events=listen):
        await events_done(bus)
    assert heard == [REACTED]


async def test_a_consumer_that_was_lost_is_received_from_again(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        await bus.ask(create(), meta=META)
        await bus.jetstream.delete_stream(COMMANDS)
        await provision(bus.jetstream)
        await bus.ask(create(), meta=META)


async def test_a_service_waits_until_it_is_provisioned(
    database: Database, postgres_log: PostgresLog
) -> None:
    async with running_nats() as bare:
        asking, owner = Bus(bare.url, "asking"), Bus(bare.url, "owner")
        await asking.connect()
        async with receiving(owner, database, commands=shop_on(postgres_log)):
            await provision(asking.jetstream)
            await asking.ask(create(), meta=META)
        await asking.close()


async def test_nudges_reach_who_waits_for_them(
    bus: Bus, owner: Bus, nats: NatsServer, database: Database
) -> None:
    heard: list[bool] = []
    receiver = Receiver(owner, database, Health())
    receiver.nudges("relay", lambda: heard.append(True))
    task = asyncio.create_task(receiver.run())

    async def nudged() -> bool:
        await bus.nudge("relay")
        return bool(heard)

    await until(nudged, SECONDS)
    task.cancel()
    await asyncio.wait([task])
