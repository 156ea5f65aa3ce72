"""Identities, keys and secrets: personal or secret, so they lie here and not in the log."""

from __future__ import annotations

from typing import NamedTuple

from libs.runtime.postgres import Connection


class NewIdentity(NamedTuple):
    """An account's address and its sealed webhook secret."""

    account_id: str
    email: str
    webhook_secret_sealed: bytes


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


async def insert_identity(connection: Connection, identity: NewIdentity) -> bool:
    """Take an address for an account; false when somebody has it."""
    cursor = await connection.execute(
        "insert into identities (account_id, email, webhook_secret_sealed)"
        " values (%s, %s, %s) on conflict (email) do nothing",
        identity,
    )
    return cursor.rowcount == 1


async def insert_key(connection: Connection, key: NewKey) -> None:
    """Store a new, active key."""
    await connection.execute(
        "insert into api_keys (id, account_id, hash, prefix, label, is_default, created_by, sealed)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        key,
    )
