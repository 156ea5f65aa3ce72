"""Old months of the log to files, and back: see `archives` for what the files are.

A month's partition is written, read back, compared and only then taken out of the log, in one
transaction that also notes it; so a run that was killed anywhere is gone on with by the next one.
The rows stay: an archived execution is still read and listed, and only its timeline is gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from libs.events.archives import (
    Damaged,
    Manifest,
    MonthWriter,
    folder_of,
    lines_of,
    verify_month,
)
from libs.events.base import Value
from libs.events.execution_rows import (
    TERMINAL,
)
from libs.events.partitions import month_after, partition_of
from libs.runtime.postgres import Conflict, Database

CHUNK = 5_000
TRIES = 5
_LOCK = 4_714
_ENDED = (*TERMINAL, "cancelled")

_PARTITIONS = """
select c.relname::text as name
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
 where i.inhparent = 'events'::regclass and c.relname ~ '^events_[0-9]{4}_[0-9]{2}$'
   and c.relname < %s
 order by c.relname
"""
# Streams lie in the month of their ids, which are UUIDv7; so this asks the rows' primary keys.
_OPEN = """
select id::text from executions
 where id >= %(first)s::uuid and id < %(after)s::uuid
   and (status <> all(%(ended)s::text[]) or delivery_due_at is not null
        or outcome_due_at is not null or claimable_at is not null
        or outcome_state = 'verification_pending')
 limit 10
"""
_UNTOLD = """
select exists (select from {partition} e, relay r where (e.xid, e.pos) > (r.xid, r.pos)) as untold
"""
_LINES = "select pos, row_to_json(e)::text from {partition} e order by pos"
_END = "select count(*), coalesce(max(pos), 0) from {partition}"
_NOTE = "insert into archived_months (month, events, content) values (%s, %s, %s)"
# They were told before they were archived, perhaps by another server, which had other transaction
# ids: 1 is older than all that the relay has told. What is of accounts erased since stays away.
_FILL = """
insert into {table} (pos, xid, id, month, stream_id, version, type, schema_version, account_id,
                     data, meta, recorded_at)
select e.pos, '1', e.id, e.month, e.stream_id, e.version, e.type, e.schema_version, e.account_id,
       e.data, e.meta, e.recorded_at
  from json_populate_recordset(null::events, %s::json) e
 where not exists (select from erased_accounts a where a.id = e.account_id)
"""
# What was appended to its streams since they were archived.
_LATER = """
with later as (delete from events_unforeseen where month = %s returning *)
insert into {table} select * from later on conflict do nothing
"""


class StillOpen(Exception):
    """A month's streams have not all ended, or the broker was not told of all. Nothing was done."""


class InTheLog(Exception):
    """The log of this database does not miss the month."""


class Running(Exception):
    """Another run is at work."""


class Archived(Value):
    """What became of a month: how many events are in the files, which vouch for them."""

    month: date
    events: int
    folder: str


async def months_to_archive(database: Database, before: date) -> list[date]:
    """Name the months that lie in the log whole and began before the month of `before`."""
    rows = await database.rows(_PARTITIONS, [partition_of(before.replace(day=1))])
    return [date(int(row["name"][7:11]), int(row["name"][12:14]), 1) for row in rows]


async def archived_months(database: Database) -> list[dict[str, Any]]:
    """Give the months that were taken out of this database's log, oldest first."""
    return await database.rows(
        "select to_char(month, 'YYYY-MM') as month, events, content, archived_at"
        "  from archived_months order by archived_months.month"
    )


async def archive_month(database: Database, root: Path, month: date) -> Archived:
    """Write a month to `root`, read it back, and take its partition out of the log.

    Raises `StillOpen`, and `Damaged` when what was read back is not what lies in the log.
    """
    partition = partition_of(month)
    async with _alone(database):
        await _require_ended(database, month, partition)
        manifest = await _written(database, root, month, partition)
        await _insist(partial(_take_out, database, manifest, partition))
    return Archived(month=month, events=manifest.events, folder=str(folder_of(root, month)))


async def restore_month(database: Database, root: Path, month: date) -> Archived:
    """Put an archived month back into the log, as a partition.

    Raises `Damaged`, and `InTheLog` when it lies there.
    """
    manifest = verify_month(root, month)
    rows = await database.rows("select to_regclass(%s) is null as gone", [partition_of(month)])
    if not rows[0]["gone"]:
        raise InTheLog(f"{month:%Y-%m} lies in the log")
    table = f"{partition_of(month)}_restored"
    async with _alone(database):
        await database.execute(f"drop table if exists {table}")
        await database.execute(f"create table {table} (like events including all)")
        lines = lines_of(root, manifest)
        while chunk := list(islice(lines, CHUNK)):
            await database.execute(_FILL.format(table=table), [f"[{','.join(chunk)}]"])
        await _insist(partial(_put_back, database, month, table))
    return Archived(month=month, events=manifest.events, folder=str(folder_of(root, month)))


async def _require_ended(database: Database, month: date, partition: str) -> None:
    bounds = {"first": _first_id(month), "after": _first_id(month_after(month, 1))}
    still = await database.rows(_OPEN, {**bounds, "ended": list(_ENDED)})
    if still:
        names = ", ".join(row["id"] for row in still)
        raise StillOpen(f"executions of {month:%Y-%m} have not ended: {names}")
    rows = await database.rows(_UNTOLD.format(partition=partition))
    if rows[0]["untold"]:
        raise StillOpen(f"the broker was not told of all of {month:%Y-%m} yet")


async def _written(database: Database, root: Path, month: date, partition: str) -> Manifest:
    with suppress(Damaged):
        manifest = verify_month(root, month)  # by a run that was cut off
        if manifest.content == await _content(database, partition):
            return manifest
    writer, last_pos = MonthWriter(root, month), 0
    async for pos, line in _lines(database, partition):
        writer.add(line)
        last_pos = pos
    manifest = writer.finish(last_pos)
    if verify_month(root, month) != manifest:
        raise Damaged(f"{folder_of(root, month)} is not what lies in the log")
    return manifest


async def _content(database: Database, partition: str) -> str:
    content = hashlib.sha256()
    async for _, line in _lines(database, partition):
        content.update(f"{line}\n".encode())
    return content.hexdigest()


async def _lines(database: Database, partition: str) -> AsyncIterator[tuple[int, str]]:
    async with database.connection() as connection, connection.transaction():
        await connection.execute("set local statement_timeout = 0")
        async with connection.cursor(name="archive") as cursor:
            cursor.itersize = CHUNK
            await cursor.execute(_LINES.format(partition=partition))
            async for pos, line in cursor:
                yield pos, line


async def _take_out(database: Database, manifest: Manifest, partition: str) -> None:
    async with database.transaction() as (connection, _):
        await connection.execute(f"lock table {partition} in share row exclusive mode")
        cursor = await connection.execute(_END.format(partition=partition))
        if await cursor.fetchone() != (manifest.events, manifest.last_pos):
            raise StillOpen(f"{manifest.month:%Y-%m} was written to just now")
        await connection.execute(f"alter table events detach partition {partition}")
        await connection.execute(f"drop table {partition}")
        await connection.execute(_NOTE, [manifest.month, manifest.events, manifest.content])


async def _put_back(database: Database, month: date, table: str) -> None:
    partition, after = partition_of(month), month_after(month, 1)
    async with database.transaction() as (connection, _):
        await connection.execute("set local statement_timeout = 0")
        await connection.execute("lock table events_unforeseen in share row exclusive mode")
        await connection.execute(_LATER.format(table=table), [month])
        await connection.execute(f"alter table {table} rename to {partition}")
        await connection.execute(
            f"alter table events attach partition {partition}"
            f" for values from ('{month}') to ('{after}')"
        )
        await connection.execute("delete from archived_months where month = %s", [month])


async def _insist(work: Callable[[], Awaitable[None]]) -> None:
    """Do it between others' transactions, which hold the log for moments only."""
    for _ in range(TRIES - 1):
        with suppress(Conflict):
            return await work()
    return await work()


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    async with database.connection() as connection:
        cursor = await connection.execute("select pg_try_advisory_lock(%s)", [_LOCK])
        row = await cursor.fetchone()
        if row is None or not row[0]:
            raise Running("another run archives or restores just now")
        try:
            yield
        finally:
            await connection.execute("select pg_advisory_unlock(%s)", [_LOCK])


def _first_id(month: date) -> str:
    """The least UUIDv7 that a month can have."""
    born = int(datetime(month.year, month.month, 1, tzinfo=UTC).timestamp() * 1000)
    return f"{born >> 16:08x}-{born & 0xFFFF:04x}-0000-0000-000000000000"
