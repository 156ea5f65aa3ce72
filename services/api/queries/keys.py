"""The account's keys as their owner sees them (contract nr 21, 22)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from services.api.queries.pages import Reads


class KeyRow(NamedTuple):
    """What may be told of a key."""

    id: str
    prefix: str
    label: str
    is_default: bool
    status: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class DefaultKey(NamedTuple):
    """The active default key: its first characters, and its sealed copy if there is one."""

    id: str
    prefix: str
    sealed: bytes | None


async def list_keys(database: Reads, account_id: str) -> list[KeyRow]:
    """Read all keys, newest first; ended ones for thirty days."""
    rows = await database.rows(
        "select id::text as id, prefix, label, is_default, status, created_by, created_at,"
        "       last_used_at, revoked_at"
        "  from api_keys where account_id = %(account)s"
        "   and (revoked_at is null or revoked_at > now() - interval '30 days')"
        " order by created_at desc, id desc",
        {"account": account_id},
    )
    return [KeyRow(**row) for row in rows]


async def find_default_key(database: Reads, account_id: str) -> DefaultKey | None:
    """Read the active default key; None when there is none."""
    rows = await database.rows(
        "select id::text as id, prefix, sealed from api_keys"
        " where account_id = %(account)s and is_default and status = 'active'"
        " order by created_at desc limit 1",
        {"account": account_id},
    )
    return DefaultKey(**rows[0]) if rows else None
