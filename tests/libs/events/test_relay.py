"""The relay between a real log and a real broker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from typing_extensions import override

from deploy.local.waiting import until
from libs.events.bus import Bus, Unanswered, batches_of
from libs.events.envelope import Notice, decode
from libs.events.examples import example
from libs.events.executions import OutcomeReported
from libs.events.log import PostgresLog, PostgresUnit
from libs.events.provision import provision
from libs.events.relay import READ, Relay
from libs.events.subjects import EVENTS, REACTIONS, events_consumer
from libs.runtime.health import Health
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Connection, Database, Unavailable
from tests.libs.events.conftest import connected
from tests.libs.events.receiving import SECONDS, notice_of
from tests.libs.events.streams_of import META, new_cue, new_execution
from tests.servers import NatsServer

pytestmark = pytest.mark.integration


_NOTHING_HAS_HAPPENED = """
truncate events, cues, executions, usage, cue_activity, relay_trail;
update relay set xid = '0', pos = 0, stream_created_at = '', last_sequence = 0,
       acknowledged_sequence = 0
"""


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """An empty log, and a relay that has told of nothing."""
    async with opened(Database(postgres_url)) as pool:
        await pool.execute(_NOTHING_HAS_HAPPENED)
        yield pool


@pytest.fixture
def relay(database: Database, bus: Bus) -> Relay:
    return Relay(database, bus, Health())


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


async def test_what_is_in_the_log_is_told_once_and_in_order(
    relay: Relay, database: Database, bus: Bus
) -> None:
    ids = await append(database, 3)
    assert await relay.run_once() == len(ids)
    assert await relay.run_once() == 0
    assert sorted(await told_ids(bus)) == sorted(ids)
    later = await append(database)
    await relay_all(relay)
    assert set((await told_ids(bus))[len(ids) :]) == set(later)


async def test_a_notice_says_which_event_and_no_more(
    relay: Relay, database: Database, bus: Bus
) -> None:
    cue, run = new_cue(), None
    async with PostgresLog(database).transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
        run = new_execution(cue)
        events = [run, example(OutcomeReported)]
        unit.record("execution", run.execution_id, cue.account_id, events, META)
    await relay_all(relay)
    notices = {notice.type: notice for notice in await told(bus)}
    assert set(notices) == {"CueCreated", "ExecutionScheduled", "OutcomeReported"}
    reported = notices["OutcomeReported"]
    assert reported.stream_id == f"execution-{run.execution_id}"
    assert reported.version == 2
    assert reported.account_id == cue.account_id
    assert reported.success is True
    assert notices["CueCreated"].success is None


async def test_a_long_log_is_told_in_parts(relay: Relay, database: Database, bus: Bus) -> None:
    count = READ + 500
    await database.execute(
        "insert into events (id, month, stream_id, version, type, schema_version, account_id,"
        " data, meta, recorded_at)"
        " select gen_random_uuid(), '1970-01-01', 'cue-c', n, 'CuePaused', 1, gen_random_uuid(),"
        " '{}', '{}', now() from generate_series(1, %s) n",
        [count],
    )
    assert [await relay.run_once() for _ in range(3)] == [READ, 500, 0]
    assert [notice.version for notice in await told(bus)] == list(range(1, count + 1))


@asynccontextmanager
async def open_transaction(database: Database) -> AsyncIterator[Connection]:
    """A transaction that already has its place in the order, and is not yet committed."""
    async with database.transaction() as (connection, _):
        await connection.execute("select pg_current_xact_id()")
        yield connection


async def insert(connection: Connection) -> tuple[int, str]:
    cursor = await connection.execute(
        "insert into events (id, month, stream_id, version, type, schema_version, account_id,"
        " data, meta, recorded_at) values (gen_random_uuid(), '1970-01-01', %s, 1, 'CuePaused', 1,"
        " gen_random_uuid(), '{}', '{}', now()) returning pos, id::text",
        [f"cue-{new_uuid()}"],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1]


async def positions_after(database: Database, pos: int) -> list[int]:
    """What a reader sees that asks for `pos > last`."""
    rows = await database.rows("select pos from events where pos > %s order by pos", [pos])
    return [row["pos"] for row in rows]


async def test_an_event_that_is_committed_late_is_not_left_out(
    relay: Relay, database: Database, bus: Bus
) -> None:
    async with open_transaction(database) as slow:
        early_pos, early = await insert(slow)
        async with open_transaction(database) as fast:
            late_pos, late = await insert(fast)
        assert early_pos < late_pos
        assert await positions_after(database, 0) == [late_pos]
        assert await relay.run_once() == 0, "told of events while an earlier transaction is open"
    assert await positions_after(database, late_pos) == [], "here `pos > last` leaves one out"
    assert await relay_all(relay) == 2
    assert await told_ids(bus) == [early, late]


async def test_an_event_with_a_lower_position_in_a_later_transaction_is_not_left_out(
    relay: Relay, database: Database, bus: Bus
) -> None:
    async with open_transaction(database) as first:
        async with open_transaction(database) as second:
            low_pos, low = await insert(second)
            high_pos, high = await insert(first)
            await first.execute("commit; begin")
            assert await relay.run_once() == 1
            assert await told_ids(bus) == [high]
        assert low_pos < high_pos
        assert await positions_after(database, high_pos) == []
    assert await relay_all(relay) == 1
    assert await told_ids(bus) == [high, low]


async def test_events_of_transactions_that_crossed_are_told_in_commit_order_and_once(
    relay: Relay, database: Database, bus: Bus
) -> None:
    async with open_transaction(database) as first, open_transaction(database) as second:
        low_pos, low = await insert(second)
        high_pos, high = await insert(first)
    assert low_pos < high_pos
    assert [await relay.run_once() for _ in range(2)] == [2, 0]
    assert await told_ids(bus) == [high, low]


async def test_with_eight_writers_every_event_is_told_and_polling_by_position_leaves_some_out(
    relay: Relay, postgres_url: str, bus: Bus
) -> None:
    seed = random.randrange(1_000_000)
    print(f"{seed=}")
    chance = random.Random(seed)
    ids: list[str] = []
    polled: list[int] = []
    finished = asyncio.Event()

    async def write(database: Database) -> None:
        for _ in range(25):
            async with database.transaction() as (connection, now):
                unit = PostgresUnit(now, connection)
                for cue in [new_cue() for _ in range(chance.randint(1, 3))]:
                    unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
                await unit.flush()
                await asyncio.sleep(chance.uniform(0, 0.02))
            ids.extend(item.id for item in unit.recorded)

    async def tell() -> None:
        while not finished.is_set():
            await relay.run_once()

    async def poll(database: Database) -> None:
        while not finished.is_set():
            polled.extend(await positions_after(database, polled[-1] if polled else 0))

    async with (
        opened(Database(postgres_url, max_connections=10)) as writers,
        asyncio.TaskGroup() as readers,
    ):
        readers.create_task(tell())
        readers.create_task(poll(writers))
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(write(writers))
        finished.set()
    await relay_all(relay)
    assert sorted(await told_ids(bus)) == sorted(ids)
    assert len(polled) < len(ids), "polling by position was lucky: the run proves nothing"


class Dying(Database):
    """Dies when the relay moves its checkpoint, once."""

    died = False

    @override
    async def execute(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> int:
        if not self.died and "update relay" in sql:
            self.died = True
            raise Unavailable("the process is gone")
        return await super().execute(sql, params)


async def test_a_crash_between_publishing_and_checkpoint_repeats_and_leaves_nothing_out(
    relay: Relay, postgres_url: str, database: Database, bus: Bus
) -> None:
    first = await append(database, 2)
    async with opened(Dying(postgres_url)) as dying:
        crashed = Relay(dying, bus, Health())
        with pytest.raises(Unavailable):
            await crashed.run_once()
    assert await has_told(bus, first)
    second = await append(database, 2)
    assert await relay_all(relay) == len(first + second), "the first were not read again"
    assert await has_told(bus, first + second)


class Overtaken(Bus):
    """Is slow to hear of its acknowledgements; meanwhile something happens."""

    meanwhile: Callable[[], Awaitable[None]]

    @override
    async def publish_notices(self, batches: Sequence[Sequence[Notice]]) -> list[int]:
        sequences = await super().publish_notices(batches)
        await self.meanwhile()
        return sequences


async def test_a_relay_that_lost_its_lock_does_not_move_the_checkpoint_back(
    relay: Relay, database: Database, bus: Bus, nats: NatsServer
) -> None:
    slow = Overtaken(nats.url, "slow")

    async def meanwhile() -> None:
        await relay_all(relay)
        await append(database)
        await relay_all(relay)

    slow.meanwhile = meanwhile
    await slow.connect()
    await append(database)
    await Relay(database, slow, Health()).run_once()
    assert await relay.run_once() == 0
    assert not await relay.inspect_stream() or await relay_all(relay) == 4
    await slow.close()


async def test_without_an_acknowledgement_the_checkpoint_stays(
    relay: Relay, database: Database, bus: Bus
) -> None:
    ids = await append(database, 2)
    await bus.jetstream.delete_stream(EVENTS)
    with pytest.raises(Unanswered):
        await relay.run_once()
    await provision(bus.jetstream)
    assert await relay_all(relay) == len(ids)
    assert await has_told(bus, ids)


async def test_of_two_relays_one_is_active_and_the_other_takes_over(
    postgres_url: str, database: Database, bus: Bus, nats: NatsServer
) -> None:
    async with opened(Database(postgres_url)) as other, connected(nats, "other") as other_bus:
        relays = [Relay(database, bus, Health()), Relay(other, other_bus, Health())]
        async with running(relays[0]), running(relays[1]):
            await until(partial(_holders_are, database, 1), SECONDS)
            (first,) = await _holders(database)
            await until(partial(has_told, bus, await append(database)), SECONDS)
            assert await _holders(database) == [first]
            await database.rows("select pg_terminate_backend(%s)", [first])
            await until(partial(has_told, bus, await append(database)), SECONDS)
            await until(partial(_holders_are, database, 1), SECONDS)
            assert await _holders(database) != [first]


async def test_a_relay_whose_session_is_gone_stops_when_told(
    relay: Relay, database: Database
) -> None:
    async with running(relay) as task:
        await until(partial(_holders_are, database, 1), SECONDS)
        await database.rows("select pg_terminate_backend(%s, 5000)", await _holders(database))
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=SECONDS)
        assert done


async def test_only_who_holds_the_lock_is_active(
    postgres_url: str, database: Database, bus: Bus, logs: list[Any]
) -> None:
    relay, other = Relay(database, bus, Health()), Relay(database, bus, Health())
    async with relay._active() as held, other._active() as also:
        assert held is not None
        assert also is None
    async with other._active() as free:
        assert free is not None


async def test_a_wiped_broker_is_told_again_from_the_oldest_unacknowledged(
    relay: Relay, database: Database, bus: Bus, nats: NatsServer
) -> None:
    await relay.inspect_stream()
    ids = []
    for _ in range(6):
        ids += await append(database)
        await relay_all(relay)
    fires = [notice.id for notice in await told(bus) if notice.type == "ExecutionScheduled"]
    await acknowledge_all_but(bus, "dispatcher")
    await acknowledge(bus, "dispatcher", 3)
    assert not await relay.inspect_stream()
    await wiped(nats, bus)
    assert await relay.inspect_stream(), "the loss went unnoticed"
    await relay_all(relay)
    again = await told_ids(bus)
    assert set(fires[3:]) <= set(again), "an unacknowledged notice was left out"
    assert not set(fires[:3]) & set(again), "told again of what every consumer was done with"
    assert not await relay.inspect_stream()
    assert await relay.run_once() == 0


async def test_a_broker_wiped_twice_is_told_again_twice(
    relay: Relay, database: Database, bus: Bus, nats: NatsServer
) -> None:
    await relay.inspect_stream()
    ids = await append(database, 3)
    await relay_all(relay)
    for _ in range(2):
        await wiped(nats, bus)
        assert await relay.inspect_stream()
        await relay_all(relay)
        assert await has_told(bus, ids)


async def test_a_stream_that_is_shorter_than_it_was_is_told_again(
    relay: Relay, database: Database, bus: Bus
) -> None:
    await relay.inspect_stream()
    ids = await append(database, 2)
    await relay_all(relay)
    await bus.jetstream.purge_stream(EVENTS)
    await database.execute("update relay set last_sequence = last_sequence + 10")
    assert await relay.inspect_stream()
    assert await relay_all(relay) == len(ids)
    assert not await relay.inspect_stream()


async def test_a_stream_that_somebody_else_made_anew_loses_nothing(
    relay: Relay, database: Database, bus: Bus
) -> None:
    await relay.inspect_stream()
    ids: list[str] = []
    for _ in range(4):
        ids += await append(database)
        await relay_all(relay)
    await acknowledge_all_but(bus, "dispatcher")
    await acknowledge(bus, "dispatcher", 2)
    await relay.inspect_stream()
    unacknowledged = [n.id for n in await told(bus) if n.type == "ExecutionScheduled"][2:]
    await bus.jetstream.delete_stream(EVENTS)
    await provision(bus.jetstream)
    # The relay goes on before it looks at the stream, and comes to sequences that it knows.
    ids += await append(database)
    with pytest.raises(Unanswered, match="lost"):
        await relay.run_once()
    assert await relay.inspect_stream()
    await relay_all(relay)
    assert await has_told(bus, [*unacknowledged, ids[-1]])


async def test_a_running_relay_tells_without_a_nudge(
    relay: Relay, database: Database, bus: Bus
) -> None:
    async with running(relay):
        await until(partial(has_told, bus, await append(database)), SECONDS)
        await until(partial(has_told, bus, await append(database)), SECONDS)


async def test_a_running_relay_heals_a_broker_that_lost_its_streams(
    relay: Relay, database: Database, bus: Bus
) -> None:
    async with running(relay):
        first = await append(database)
        await until(partial(has_told, bus, first), SECONDS)
        await bus.jetstream.delete_stream(EVENTS)
        second = await append(database)
        await until(partial(has_told, bus, first + second), SECONDS)


async def test_a_running_relay_outlives_a_broker_that_is_away(
    relay: Relay, database: Database, bus: Bus, nats: NatsServer
) -> None:
    async with running(relay) as task:
        await until(partial(has_told, bus, await append(database)), SECONDS)
        await nats.kill()
        ids = await append(database)
        relay.nudge()
        await nats.start()
        await until(partial(has_told, bus, ids), SECONDS)
        assert not task.done()


def test_batches_hold_one_type_each_in_order() -> None:
    notices = [notice_of(kind) for kind in ("A", "B", "A", "A", "B")]
    batches = batches_of(notices, 2)
    assert [[n.type for n in batch] for batch in batches] == [["A", "A"], ["B", "B"], ["A"]]
    assert [n for batch in batches for n in batch if n.type == "A"] == [
        n for n in notices if n.type == "A"
    ]
    assert batches_of([], 2) == []


async def wiped(nats: NatsServer, bus: Bus) -> None:
    """Let the broker lose everything."""
    await nats.stop()
    nats.wipe()
    await nats.start()

    async def connected_again() -> bool:
        return bus.connected

    await until(connected_again, SECONDS)


async def _holders(database: Database) -> list[int]:
    rows = await database.rows(
        "select pid from pg_locks where locktype = 'advisory' and objid = 4712 and granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    return [row["pid"] for row in rows]


async def _holders_are(database: Database, count: int) -> bool:
    return len(await _holders(database)) == count
