"""API keys as they rest: hashed, and only the default one also sealed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from libs.runtime.postgres import Connection


class NewKey(NamedTuple):
    """An API key as it rests; `sealed` is the encrypted copy that only a default key has."""

    id: str
    account_id: str
    hash: bytes
    prefix: str
    label: str
    is_default: bool
    created_by: str
    sealed: bytes | None


class StoredKey(NamedTuple):
    """What may be told of a key, and what ended it."""

    id: str
    prefix: str
    label: str
    is_default: bool
    status: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


async def insert_key(connection: Connection, key: NewKey) -> StoredKey:
    """Store a new, active key."""
    cursor = await connection.execute(
        "insert into api_keys (id, account_id, hash, prefix, label, is_default, created_by, sealed)"  # noqa: S608 - our names
        f" values (%s, %s, %s, %s, %s, %s, %s, %s) returning {_COLUMNS}",
        key,
    )
    row = await cursor.fetchone()
    assert row is not None
    return StoredKey(*row)


async def find_key(connection: Connection, account_id: str, key_id: str) -> StoredKey | None:
    """Read one key, active or not; None when the account has no such key."""
    cursor = await connection.execute(
        f"select {_COLUMNS} from api_keys where account_id = %s and id = %s",  # noqa: S608 - our names
        (account_id, key_id),
    )
    row = await cursor.fetchone()
    return StoredKey(*row) if row else None


async def active_keys(connection: Connection, account_id: str) -> list[StoredKey]:
    """Read the keys that open the account now, newest first."""
    cursor = await connection.execute(
        f"select {_COLUMNS} from api_keys where account_id = %s and status = 'active'"  # noqa: S608 - our names
        " order by created_at desc, id desc",
        [account_id],
    )
    return [StoredKey(*row) for row in await cursor.fetchall()]


async def revoke_key(connection: Connection, key_id: str, reason: str) -> datetime:
    """End a key now, for good; its sealed copy goes at once. Gives when."""
    cursor = await connection.execute(
        "update api_keys set status = 'revoked', revoked_reason = %s, revoked_at = now(),"
        " sealed = null where id = %s returning revoked_at",
        (reason, key_id),
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


async def rename_key(connection: Connection, key_id: str, label: str) -> None:
    """Give a key another label."""
    await connection.execute("update api_keys set label = %s where id = %s", (label, key_id))


async def default_key_sealed(connection: Connection, account_id: str) -> bytes | None:
    """Read the sealed copy of the active default key; None when there is none."""
    cursor = await connection.execute(
        "select sealed from api_keys where account_id = %s and is_default and status = 'active'"
        " order by created_at desc limit 1",
        [account_id],
    )
    row = await cursor.fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


_COLUMNS = (
    "id::text, prefix, label, is_default, status, created_by, created_at, last_used_at, revoked_at"
)
