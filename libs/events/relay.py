"""The relay: tells the broker what the log holds, in commit order.

It is the only publisher of events. One replica is active, by an advisory lock on a connection of
its own; every process that hosts one is a candidate. Its checkpoint moves when the broker has
acknowledged, so a crash repeats notices and never leaves one out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.errors import Error as JetStreamError
from prometheus_client import Counter, Gauge

from libs.events.base import Value
from libs.events.bus import Bus, Unanswered
from libs.events.envelope import Notice, batches_of
from libs.events.provision import provision
from libs.events.subjects import CONSUMERS, EVENTS
from libs.runtime.clock import monotonic
from libs.runtime.health import Health
from libs.runtime.ids import jittered
from libs.runtime.postgres import Conflict, Connection, Database, Unavailable
from libs.runtime.supervisor import stopping
from libs.runtime.telemetry import collects

log = structlog.get_logger()

NAME = "relay"
READ = 2_000
BATCH = 64
QUIET_SECONDS = 1.0
GATHER_SECONDS = 0.002
GATHER_WHEN_BUSY_SECONDS = 0.015
BUSY_SECONDS = 0.05
SETTLE_SECONDS = (0.005, 0.02, 0.1)
INSPECT_SECONDS = 2.0
_LOCK = 4_712

RELAYED = Counter("cueapi_relay_events_total", "Events that the broker was told of")
ACTIVE = Gauge("cueapi_relay_active", "1 in the process whose relay holds the lock")

_NEXT = """
select e.pos, e.xid::text, e.id::text, e.type, e.stream_id, e.version, e.account_id::text,
       e.recorded_at, (e.data #>> '{report,success}')::boolean, e.meta ->> 'traceparent'
  from events e
 where (e.xid, e.pos) > (%s::xid8, %s)
   and e.xid < (select log_horizon())
 order by e.xid, e.pos
 limit %s
"""
# Only from where it was read: who has lost the lock without knowing it moves nothing back.
_MOVE = """
with moved as (
  update relay set xid = %(xid)s::xid8, pos = %(pos)s, moved_at = now(),
         last_sequence = %(sequence)s
   where xid = %(from_xid)s::xid8 and pos = %(from_pos)s
  returning xid, pos
)
insert into relay_trail (sequence, xid, pos) select %(sequence)s, xid, pos from moved
on conflict (sequence) do update set xid = excluded.xid, pos = excluded.pos
"""
_ACKNOWLEDGED = """
with gone as (
  delete from relay_trail
   where sequence < (select max(sequence) from relay_trail where sequence <= %(floor)s)
)
update relay set acknowledged_sequence = %(floor)s
"""
_OLDEST_UNACKNOWLEDGED = """
select coalesce(t.xid, '0'::xid8)::text as xid, coalesce(t.pos, 0) as pos
  from relay r left join lateral (
    select xid, pos from relay_trail
     where sequence <= r.acknowledged_sequence order by sequence desc limit 1
  ) t on true
"""
_REWIND = """
with forgotten as (
  delete from relay_trail where sequence > 0
), here as (
  insert into relay_trail (sequence, xid, pos) values (0, %(xid)s::xid8, %(pos)s)
  on conflict (sequence) do update set xid = excluded.xid, pos = excluded.pos
)
update relay set xid = %(xid)s::xid8, pos = %(pos)s, stream_created_at = %(created)s,
       last_sequence = 0, acknowledged_sequence = 0, moved_at = now()
"""

# Without a last sequence the stream can't seem shorter than it was. What lies behind the broker's
# window for duplicates is told again; within it, the broker has the notice anyway.
_BACK_TO = """
with first as (
  select xid, pos from events where recorded_at >= %s order by xid, pos limit 1
), moved as (
  update relay set xid = first.xid, pos = first.pos - 1, last_sequence = 0, moved_at = now()
    from first where (first.xid, first.pos) <= (relay.xid, relay.pos)
  returning relay.xid, relay.pos
)
select count(*) from events e, moved where (e.xid, e.pos) > (moved.xid, moved.pos)
"""


class Checkpoint(Value):
    """Up to where the log was told, and the last sequence that the stream gave for it.

    Commit order is (transaction id, position).
    """

    xid: str
    pos: int
    last_sequence: int


class Relay:
    """Publishes notices of the log's events while it holds the lock."""

    name = NAME

    def __init__(
        self, database: Database, bus: Bus, health: Health, *, stream_replicas: int = 1
    ) -> None:
        self._database = database
        self._bus = bus
        self._health = health
        self._stream_replicas = stream_replicas
        self._nudged = asyncio.Event()
        self._inspected_at = float("-inf")
        self._published_at = float("-inf")
        self._checkpoint: Checkpoint | None = None  # as last read or moved; None: read it again

    def nudge(self) -> None:
        """Look at once: something was appended."""
        self._nudged.set()

    async def run(self) -> None:
        """Wait for the lock, then relay until cancelled; faults of either server are waited out."""
        while not stopping():
            self._health.beat(NAME)
            try:
                async with self._active() as lock:
                    if lock is not None:
                        log.info("this relay is active")
                        await self._relay(lock)
            except (Unavailable, Unanswered, NatsError, JetStreamError) as error:
                log.warning("the relay waits", error=repr(error))
            await asyncio.sleep(jittered(QUIET_SECONDS))

    async def run_once(self) -> int:
        """Publish what the log holds beyond the checkpoint, at most `READ` events; give how many.

        Raises `Unavailable`, or `Unanswered` with the checkpoint where it was.
        """
        checkpoint, self._checkpoint = self._checkpoint, None
        async with self._database.connection() as connection:
            checkpoint = checkpoint or await _checkpoint(connection)
            rows = await _after(connection, checkpoint)
        if not rows:
            self._checkpoint = checkpoint
            return 0
        notices = [_notice(row) for row in rows]
        sequences = await self._bus.publish_notices(batches_of(notices, BATCH))
        if min(sequences) <= checkpoint.last_sequence:
            self._inspected_at = float("-inf")
            raise Unanswered("the stream has lost what it acknowledged")
        moved = Checkpoint(xid=rows[-1][1], pos=rows[-1][0], last_sequence=max(sequences))
        move = {
            "from_xid": checkpoint.xid,
            "from_pos": checkpoint.pos,
            "xid": moved.xid,
            "pos": moved.pos,
            "sequence": moved.last_sequence,
        }
        if await self._database.execute(_MOVE, move):
            self._checkpoint = moved
        RELAYED.inc(len(rows))
        return len(rows)

    async def inspect_stream(self) -> bool:
        """Compare the broker with the checkpoint; rewind if it has lost what was told to it.

        A stream that is missing is provisioned again. A stream that is new, or shorter than what it
        acknowledged, has lost notices: the relay goes back to the oldest unacknowledged one.
        """
        self._checkpoint = None
        await self._adopt_log()
        jetstream = self._bus.jetstream
        made = await provision(jetstream, replicas=self._stream_replicas)
        if made:
            log.warning("the broker has lost its store; provisioned again", made=made)
        info = await jetstream.stream_info(EVENTS)
        created = str(info.created)
        rows = await self._database.rows("select stream_created_at, last_sequence from relay")
        known, last = rows[0]["stream_created_at"], rows[0]["last_sequence"]
        if created != known or info.state.last_seq < last:
            await self._rewind(created)
            return True
        consumers = [
            await jetstream.consumer_info(EVENTS, consumer.name)
            for consumer in CONSUMERS
            if consumer.stream == EVENTS
        ]
        floor = min(_floor(consumer, info.state.last_seq) for consumer in consumers)
        await self._database.execute(_ACKNOWLEDGED, {"floor": floor})
        return False

    async def _adopt_log(self) -> None:
        try:
            async with self._database.transaction() as (connection, _):
                await connection.execute("set local statement_timeout = 0")
                cursor = await connection.execute("select adopt_log()")
                row = await cursor.fetchone()
        except Conflict as error:
            raise Unavailable("others hold the log, which came from another server") from error
        if row is not None and row[0]:
            log.warning("the log came from another server; its order goes on from here")

    async def _rewind(self, created: str) -> None:
        oldest = await self._database.rows(_OLDEST_UNACKNOWLEDGED)
        await self._database.execute(_REWIND, {**oldest[0], "created": created})
        log.warning("the relay goes back", **oldest[0], stream_created_at=created)

    async def _relay(self, lock: Connection) -> None:
        settling = iter(SETTLE_SECONDS)
        while not stopping():
            self._health.beat(NAME)
            self._nudged.clear()
            if monotonic() - self._inspected_at > INSPECT_SECONDS:
                await lock.execute("select 1")  # raises when the lock's session is gone
                await self.inspect_stream()
                self._inspected_at = monotonic()
            published = await self.run_once()
            if published == READ:
                continue
            # A transaction that began before the last one and commits after it becomes visible
            # a little later, without a nudge of its own: so look a few times more.
            if published:
                settling = iter(SETTLE_SECONDS)
                self._published_at = monotonic()
            if await self._nudged_within(next(settling, QUIET_SECONDS)):
                settling = iter(SETTLE_SECONDS)

    async def _nudged_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            return False
        # Let what is being committed together be told together; longer when there is much.
        busy = monotonic() - self._published_at < BUSY_SECONDS
        await asyncio.sleep(GATHER_WHEN_BUSY_SECONDS if busy else GATHER_SECONDS)
        return True

    @asynccontextmanager
    async def _active(self) -> AsyncIterator[Connection | None]:
        async with self._database.connection() as connection:
            cursor = await connection.execute("select pg_try_advisory_lock(%s)", [_LOCK])
            row = await cursor.fetchone()
            held = bool(row and row[0])
            ACTIVE.set(held)
            try:
                yield connection if held else None
            finally:
                ACTIVE.set(0)
                if held and not connection.broken:
                    await connection.execute("select pg_advisory_unlock(%s)", [_LOCK])


async def rewind(database: Database, since: datetime) -> int:
    """Have all events recorded since an instant told again; give how many there are.

    Whoever hears of them re-reads the row before it acts, so hearing twice does no harm.
    """
    async with database.transaction() as (connection, _):
        cursor = await connection.execute(_BACK_TO, [since])
        row = await cursor.fetchone()
    return row[0] if row else 0


def _floor(consumer: ConsumerInfo, last_sequence: int) -> int:
    """The sequence up to which a consumer needs nothing again; `last_sequence` was read before."""
    if not consumer.num_pending and not consumer.num_ack_pending:
        return last_sequence
    return (consumer.ack_floor.stream_seq or 0) if consumer.ack_floor else 0


async def _checkpoint(connection: Connection) -> Checkpoint:
    cursor = await connection.execute("select xid::text, pos, last_sequence from relay")
    row = await cursor.fetchone()
    assert row is not None, "the migration has put the row there"
    return Checkpoint(xid=row[0], pos=row[1], last_sequence=row[2])


async def _after(connection: Connection, checkpoint: Checkpoint) -> Sequence[Any]:
    cursor = await connection.execute(_NEXT, [checkpoint.xid, checkpoint.pos, READ])
    return await cursor.fetchall()


def _notice(row: Sequence[Any]) -> Notice:
    _, _, event_id, event_type, stream_id, version, account_id, recorded_at, *facts = row
    success, traceparent = facts
    return Notice(
        id=event_id,
        type=event_type,
        stream_id=stream_id,
        version=version,
        account_id=account_id,
        recorded_at=recorded_at,
        success=success,
        traceparent=traceparent if collects(traceparent) else None,
    )
