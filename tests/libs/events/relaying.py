"""A relay at work, and a look at what it has told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from deploy.local.waiting import until
from libs.events.bus import Bus, Unanswered
from libs.events.envelope import Notice, decode
from libs.events.log import PostgresLog
from libs.events.relay import Relay
from libs.events.subjects import EVENTS, REACTIONS, events_consumer
from libs.runtime.postgres import Database
from tests.libs.events.receiving import SECONDS
from tests.libs.events.streams_of import META, new_cue, new_execution
from tests.servers import NatsServer


@asynccontextmanager
async def opened(pool: Database) -> AsyncIterator[Database]:
    await pool.open()
    yield pool
    await pool.close()


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        _, pending = await asyncio.wait([task], timeout=SECONDS)
        assert not pending, "the relay does not stop"


async def append(database: Database, count: int = 1) -> list[str]:
    """Append so many fires, each in a transaction of its own; give the ids of all events."""
    log, cue = PostgresLog(database), new_cue()
    ids: list[str] = []
    for _ in range(count):
        async with log.transaction() as unit:
            if not ids:
                unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
            await unit.lock("cue", [cue.cue_id])
            run = new_execution(cue, triggered_by="manual_fire")
            unit.record("execution", run.execution_id, cue.account_id, [run], META)
            ids += [item.id for item in unit.recorded]
    return ids


async def told(bus: Bus) -> list[Notice]:
    """All notices that the broker holds, in its order."""
    state = (await bus.jetstream.stream_info(EVENTS)).state
    notices: list[Notice] = []
    for sequence in range(max(1, state.first_seq), state.last_seq + 1):
        try:
            message = await bus.jetstream.get_msg(EVENTS, sequence)
        except NotFoundError:
            continue
        notices += decode(message.data or b"", list[Notice])
    return notices


async def told_ids(bus: Bus) -> list[str]:
    return [notice.id for notice in await told(bus)]


async def has_told(bus: Bus, wanted: Sequence[str]) -> bool:
    try:
        return set(wanted) <= set(await told_ids(bus))
    except (Unanswered, JetStreamError):
        return False  # the broker is away, or has just lost its stream


async def relay_all(relay: Relay) -> int:
    total = 0
    while count := await relay.run_once():
        total += count
    return total


async def acknowledge(bus: Bus, service: str, count: int | None = None) -> None:
    """Take what the broker pushes to a service, and acknowledge `count` messages, or all."""
    client = await bus.broker.connect()
    name = events_consumer(service).name
    info = await bus.jetstream.consumer_info(EVENTS, name)
    subscription = await client.subscribe(
        info.config.deliver_subject, queue=info.config.deliver_group
    )
    for _ in range(count or info.num_pending or 0):
        message = await subscription.next_msg(timeout=SECONDS)
        await message.ack_sync(timeout=SECONDS)
    await subscription.unsubscribe()


async def acknowledge_all_but(bus: Bus, service: str) -> None:
    """Let every other service be done with all that it was told."""
    for other in REACTIONS:
        if other != service:
            await acknowledge(bus, other)


async def wiped(nats: NatsServer, bus: Bus) -> None:
    """Let the broker lose everything."""
    await nats.stop()
    nats.wipe()
    await nats.start()

    async def connected_again() -> bool:
        return bus.connected

    await until(connected_again, SECONDS)


async def holders(database: Database) -> list[int]:
    rows = await database.rows(
        "select pid from pg_locks where locktype = 'advisory' and objid = 4712 and granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    return [row["pid"] for row in rows]


async def holders_are(database: Database, count: int) -> bool:
    return len(await holders(database)) == count
