"""All that is an account's, in whatever table, exported (GDPR articles 15 and 20).

The tables are asked of the database, so that a new one is covered by itself. What is secret, sealed
or hashed lies in `bytea` columns, and no such column is exported; payloads and texts, which lie in
`blobs`, are, unless they are sealed.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

from libs.runtime.crypto import ID_BYTES, Keyring
from libs.runtime.postgres import Connection, Database

CHUNK = 500
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
