"""All that is an account's, in whatever table, erased (GDPR article 17), while work goes on.

1. One transaction leaves the tombstone and takes the account's own row: nobody gets in any more,
   and commands that are under way are refused. 2. Its cues go, so that nothing new is made, then
   its executions: who holds one of them finishes first, and later results are discarded. 3. All
   else goes, a chunk at a time, so that no transaction is long; what signs deliveries last, as an
   attempt may still need it. 4. This is repeated until nothing is found.

A run that was cut off is gone on with by the next one. What is still under way writes nothing more
than a payload or a reply, and `libs.events.upkeep` removes those.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from libs.runtime.postgres import Conflict, Connection, Database

CHUNK = 1_000
PASSES = 10
TRIES = 5
TOMBSTONES = "erased_accounts"
_FIRST = ("cues", "executions")
_LAST = ("identities",)

_BEGIN = """
with gone as (
  delete from accounts where id = %(account)s returning id
)
insert into erased_accounts (id, reason, rows_erased) select id, %(reason)s, 1 from gone
returning id
"""
# Partitions one by one: rows are named by where they lie.
_TABLES = """
select c.relname::text from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and exists (
   select from pg_attribute a
    where a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped)
 order by case when c.relname = any(%(first)s) then array_position(%(first)s, c.relname::text)
               when c.relname = any(%(last)s) then 1000 else 100 end, c.relname
"""
_COUNT = """
update erased_accounts set rows_erased = rows_erased + %s where id = %s
"""
_FINISH = """
update erased_accounts set finished_at = now() where id = %s returning rows_erased
"""


class Erased(NamedTuple):
    """How many rows were erased in this run, by table."""

    rows: dict[str, int]


class Busy(Exception):
    """Others hold rows of the account for too long; what is erased stays so. Run it again."""


async def find_begun(database: Database, account_id: str) -> bool:
    """Whether the erasure of this account has begun and not ended."""
    rows = await database.rows(
        "select id from erased_accounts where id::text = %s and finished_at is null", [account_id]
    )
    return bool(rows)


async def erase_account(database: Database, account_id: str, reason: str) -> Erased | None:
    """Erase all that is an account's, or go on with it; only a tombstone is left.

    None when there is no such account. Raises `Busy`.
    """
    begun = await database.rows(_BEGIN, {"account": account_id, "reason": reason})
    if not begun and not await find_begun(database, account_id):
        return None
    erased: dict[str, int] = {"accounts": len(begun)}
    for _ in range(PASSES):
        found = 0
        async for table, count in _sweep(database, account_id):
            erased[table] = erased.get(table, 0) + count
            found += count
            await database.execute(_COUNT, [count, account_id])
        if not found:
            await database.execute(_FINISH, [account_id])
            return Erased({table: count for table, count in erased.items() if count})
    raise Busy("the account is still written to")


async def _sweep(database: Database, account_id: str) -> AsyncIterator[tuple[str, int]]:
    # Sign-ins that were begun and not approved know the address alone; limits are counted by names
    # with the account or the address in them; messages put aside have it in their bodies.
    for table, where, value in await _traces(database, account_id):
        yield table, await _delete(database, table, where, value)
    names = await database.rows(_TABLES, {"first": list(_FIRST), "last": list(_LAST)})
    for row in names:
        table = "events" if row["relname"].startswith("events_") else row["relname"]
        async for count in _delete_rows(database, row["relname"], account_id):
            yield table, count


async def _traces(database: Database, account_id: str) -> list[tuple[str, str, str]]:
    rows = await database.rows("select email from identities where account_id = %s", [account_id])
    hashed = "encode(sha256(convert_to(%s, 'UTF8')), 'hex')"
    traces = [
        ("parked_messages", "position(convert_to(%s, 'UTF8') in body) > 0", account_id),
        ("rate_windows", "subject = %s", account_id),
        ("rate_windows", f"strpos(subject, {hashed}) > 0", account_id),
    ]
    for row in rows:
        traces.append(("device_codes", "email = %s", row["email"]))
        traces.append(("rate_windows", f"strpos(subject, {hashed}) > 0", row["email"]))
    return traces


async def _delete(database: Database, table: str, where: str, value: str) -> int:
    return await database.execute(f"delete from {table} where {where}", [value])  # noqa: S608


async def _delete_rows(database: Database, table: str, account_id: str) -> AsyncIterator[int]:
    async with database.connection() as connection:
        async for places in _places(connection, table, account_id):
            yield await _delete_places(database, table, account_id, places)


async def _places(connection: Connection, table: str, account_id: str) -> AsyncIterator[list[Any]]:
    # One scan for all chunks. A row that is changed meanwhile moves, and is found by the next pass.
    await connection.execute("set statement_timeout = 0")
    try:
        async with connection.cursor(name="erase", withhold=True) as cursor:
            await cursor.execute(
                f"select ctid::text from {table} where account_id = %s",  # noqa: S608
                [account_id],
            )
            while rows := await cursor.fetchmany(CHUNK):
                yield [row[0] for row in rows]
    finally:
        await connection.execute("reset statement_timeout")


async def _delete_places(database: Database, table: str, account_id: str, places: list[Any]) -> int:
    for _ in range(TRIES):
        try:
            return await database.execute(
                f"delete from {table} where ctid = any(%s::tid[]) and account_id = %s",  # noqa: S608
                [places, account_id],
            )
        except Conflict:
            continue
    raise Busy(f"rows of {table} are held by others")
