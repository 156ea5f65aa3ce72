"""What the relay tells a real broker of a real log: everything, in commit order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from typing_extensions import override

from libs.events.bus import Bus, Unanswered
from libs.events.envelope import Notice, batches_of
from libs.events.examples import example
from libs.events.execution_events import OutcomeReported
from libs.events.log import PostgresLog, PostgresUnit
from libs.events.provision import provision
from libs.events.relay import READ, Relay, rewind
from libs.events.subjects import EVENTS
from libs.runtime.health import Health
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Connection, Database, Unavailable
from tests.libs.events.receiving import SECONDS, notice_of
from tests.libs.events.relaying import (
    append,
    has_told,
    opened,
    relay_all,
    told,
    told_ids,
)
from tests.libs.events.streams_of import META, new_cue, new_execution
from tests.servers import NatsServer

pytestmark = pytest.mark.integration


async def test_what_is_in_the_log_is_told_once_and_in_order(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    ids = await append(empty_log, 3)
    assert await relay.run_once() == len(ids)
    assert await relay.run_once() == 0
    assert sorted(await told_ids(bus)) == sorted(ids)
    later = await append(empty_log)
    await relay_all(relay)
    assert set((await told_ids(bus))[len(ids) :]) == set(later)


async def test_a_notice_says_which_event_and_no_more(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    cue, run = new_cue(), None
    async with PostgresLog(empty_log).transaction() as unit:
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


async def test_a_long_log_is_told_in_parts(relay: Relay, empty_log: Database, bus: Bus) -> None:
    count = READ + 500
    await empty_log.execute(
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
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    async with open_transaction(empty_log) as slow:
        early_pos, early = await insert(slow)
        async with open_transaction(empty_log) as fast:
            late_pos, late = await insert(fast)
        assert early_pos < late_pos
        assert await positions_after(empty_log, 0) == [late_pos]
        assert await relay.run_once() == 0, "told of events while an earlier transaction is open"
    assert await positions_after(empty_log, late_pos) == [], "here `pos > last` leaves one out"
    assert await relay_all(relay) == 2
    assert await told_ids(bus) == [early, late]


async def test_an_event_with_a_lower_position_in_a_later_transaction_is_not_left_out(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    async with open_transaction(empty_log) as first:
        async with open_transaction(empty_log) as second:
            low_pos, low = await insert(second)
            high_pos, high = await insert(first)
            await first.execute("commit; begin")
            assert await relay.run_once() == 1
            assert await told_ids(bus) == [high]
        assert low_pos < high_pos
        assert await positions_after(empty_log, high_pos) == []
    assert await relay_all(relay) == 1
    assert await told_ids(bus) == [high, low]


async def test_events_of_transactions_that_crossed_are_told_in_commit_order_and_once(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    async with open_transaction(empty_log) as first, open_transaction(empty_log) as second:
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

    async def write(pool: Database) -> None:
        for _ in range(25):
            async with pool.transaction() as (connection, now):
                unit = PostgresUnit(now, connection)
                for cue in [new_cue() for _ in range(chance.randint(1, 3))]:
                    unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
                statement = unit.writes()
                assert statement is not None
                await connection.execute(*statement)
                await asyncio.sleep(chance.uniform(0, 0.02))
            ids.extend(item.id for item in unit.recorded)

    async def tell() -> None:
        while not finished.is_set():
            await relay.run_once()

    async def poll(pool: Database) -> None:
        while not finished.is_set():
            polled.extend(await positions_after(pool, polled[-1] if polled else 0))

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
    relay: Relay, postgres_url: str, empty_log: Database, bus: Bus
) -> None:
    first = await append(empty_log, 2)
    async with opened(Dying(postgres_url)) as dying:
        crashed = Relay(dying, bus, Health())
        with pytest.raises(Unavailable):
            await crashed.run_once()
    assert await has_told(bus, first)
    second = await append(empty_log, 2)
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
    relay: Relay, empty_log: Database, bus: Bus, nats: NatsServer
) -> None:
    slow = Overtaken(nats.url, "slow")

    async def meanwhile() -> None:
        await relay_all(relay)
        await append(empty_log)
        await relay_all(relay)

    slow.meanwhile = meanwhile
    await slow.connect()
    await append(empty_log)
    await Relay(empty_log, slow, Health()).run_once()
    assert await relay.run_once() == 0
    assert not await relay.inspect_stream() or await relay_all(relay) == 4
    await slow.close()


async def test_without_an_acknowledgement_the_checkpoint_stays(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    ids = await append(empty_log, 2)
    await bus.jetstream.delete_stream(EVENTS)
    with pytest.raises(Unanswered):
        await relay.run_once()
    await provision(bus.jetstream)
    assert await relay_all(relay) == len(ids)
    assert await has_told(bus, ids)


def test_batches_hold_one_type_each_in_order() -> None:
    notices = [notice_of(kind) for kind in ("A", "B", "A", "A", "B")]
    batches = batches_of(notices, 2)
    assert [[n.type for n in batch] for batch in batches] == [["A", "A"], ["B", "B"], ["A"]]
    assert [n for batch in batches for n in batch if n.type == "A"] == [
        n for n in notices if n.type == "A"
    ]
    assert batches_of([], 2) == []


async def test_what_was_told_is_told_again_after_a_rewind(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    await relay.inspect_stream()
    ids = await append(empty_log, 3)
    await relay_all(relay)
    before = await empty_log.rows("select xid::text, pos from relay")
    assert await rewind(empty_log, datetime.max.replace(tzinfo=UTC)) == 0
    assert await empty_log.rows("select xid::text, pos from relay") == before
    assert await rewind(empty_log, datetime.min.replace(tzinfo=UTC)) == len(ids)
    assert not await relay.inspect_stream()  # it notices within two seconds
    assert await relay.run_once() == len(ids)
    assert await empty_log.rows("select xid::text, pos from relay") == before
