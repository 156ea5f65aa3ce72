"""All that is an account's, in whatever table: exported, and erased (GDPR articles 15, 17, 20).

The tables are asked of the database, so that a new one is covered by itself. What is secret, sealed
or hashed lies in `bytea` columns, and no such column is exported; payloads and texts, which lie in
`blobs`, are, unless they are sealed.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from libs.runtime.crypto import ID_BYTES, Keyring
from libs.runtime.postgres import Connection, Database

CHUNK = 500
TOMBSTONES = "erased_accounts"
# Replies that are kept for a day, sealed, so that commands can be repeated: no data of the account.
_NOT_EXPORTED = frozenset({"command_results"})

_TABLES = """
select c.relname::text, array_agg(a.attname::text order by a.attnum)
         filter (where a.atttypid <> 'bytea'::regtype)
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not attisdropped
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and not c.relispartition
 group by c.oid having bool_or(a.attname = 'account_id') order by c.relname
"""


class Erased(NamedTuple):
    """What was erased, by table."""

    rows: dict[str, int]


async def export_account(
    database: Database, keyring: Keyring, account_id: str
) -> AsyncIterator[dict[str, Any]]:
    """Give all that is an account's as `{"table", "row"}`, as of one instant."""
    async with database.connection() as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read")
        await connection.execute("set local statement_timeout = 0")
        for table, columns in await _tables(connection):
            if table in _NOT_EXPORTED:
                continue
            async for row in _rows(connection, table, columns, account_id):
                yield {"table": table, "row": row}
        async for row in _blobs(connection, keyring, account_id):
            yield {"table": "blobs", "row": row}


async def erase_account(database: Database, account_id: str, reason: str) -> Erased | None:
    """Erase all that is an account's, in one transaction, and leave a tombstone.

    None when there is no such account. What is being delivered for it is discarded.
    """
    async with database.transaction() as (connection, _):
        await connection.execute("set local statement_timeout = 0")
        cursor = await connection.execute(
            "select email from accounts a left join identities i on i.account_id = a.id"
            " where a.id = %s for update of a",
            [account_id],
        )
        found = await cursor.fetchone()
        if found is None:
            return None
        erased = {}
        for table, _ in await _tables(connection):
            erased[table] = await _delete(connection, table, "account_id = %s", account_id)
        # Sign-ins that were begun and not approved know the address alone; limits are counted by
        # names with the account or the address in them; messages put aside have it in their bodies.
        erased["device_codes"] += await _delete(connection, "device_codes", "email = %s", found[0])
        for who in filter(None, (account_id, found[0])):
            hashed = "encode(sha256(convert_to(%s, 'UTF8')), 'hex')"
            await _delete(connection, "rate_windows", f"strpos(subject, {hashed}) > 0", who)
        erased["parked_messages"] = await _delete(
            connection,
            "parked_messages",
            "position(convert_to(%s, 'UTF8') in body) > 0",
            account_id,
        )
        rows = {table: count for table, count in erased.items() if count}
        await connection.execute(
            f"insert into {TOMBSTONES} (id, reason, rows_erased) values (%s, %s, %s)",  # noqa: S608
            [account_id, reason, sum(rows.values())],
        )
    return Erased(rows)


async def _tables(connection: Connection) -> list[tuple[str, list[str]]]:
    cursor = await connection.execute(_TABLES)
    return await cursor.fetchall()


async def _rows(
    connection: Connection, table: str, columns: list[str], account_id: str
) -> AsyncIterator[dict[str, Any]]:
    if table == "blobs":
        return
    names = ", ".join(columns)
    async with connection.cursor(name=f"export_{table}") as cursor:
        cursor.itersize = CHUNK
        await cursor.execute(
            f"select to_json(t) from (select {names} from {table} where account_id = %s) t",  # noqa: S608
            [account_id],
        )
        async for (row,) in cursor:
            yield row


async def _blobs(
    connection: Connection, keyring: Keyring, account_id: str
) -> AsyncIterator[dict[str, Any]]:
    key_ids = [keyring.current_id, *keyring.older_ids]
    async with connection.cursor(name="export_blobs") as cursor:
        cursor.itersize = CHUNK
        await cursor.execute(
            "select encode(sha256, 'hex'), body from blobs"
            " where account_id = %s and substring(body from 1 for %s) <> all(%s)",
            [account_id, ID_BYTES, key_ids],
        )
        async for sha256, body in cursor:
            yield {"sha256": sha256, **_readable(bytes(body))}


def _readable(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


async def _delete(connection: Connection, table: str, where: str, value: Any) -> int:
    cursor = await connection.execute(f"delete from {table} where {where}", [value])  # noqa: S608
    return cursor.rowcount
