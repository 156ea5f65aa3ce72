"""Identities and secrets: personal or secret, so they lie here and not in the log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from libs.runtime.postgres import Connection


class NewIdentity(NamedTuple):
    """An account's address and its sealed webhook secret."""

    account_id: str
    email: str
    webhook_secret_sealed: bytes


async def insert_identity(connection: Connection, identity: NewIdentity) -> bool:
    """Take an address for an account; false when somebody has it."""
    cursor = await connection.execute(
        "insert into identities (account_id, email, webhook_secret_sealed)"
        " values (%s, %s, %s) on conflict (email) do nothing",
        identity,
    )
    return cursor.rowcount == 1


async def find_email(connection: Connection, account_id: str) -> str | None:
    """Read an account's address; None when the account is gone."""
    cursor = await connection.execute(
        "select email from identities where account_id = %s", [account_id]
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def find_account(connection: Connection, email: str) -> str | None:
    """Find the account with an address."""
    cursor = await connection.execute(
        "select account_id::text from identities where email = %s", [email]
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def change_identity(
    connection: Connection, account_id: str, changes: Mapping[str, Any]
) -> bool:
    """Set `email`, `alert_webhook_url` or `email_notifications`; false when the address is taken.

    After false the transaction can only be rolled back.
    """
    sets = ", ".join(f"{name} = %({name})s" for name in _CHANGEABLE if name in changes)
    try:
        await connection.execute(
            f"update identities set {sets}, updated_at = now() where account_id = %(account)s",  # noqa: S608 - our names
            {**changes, "account": account_id},
        )
    except psycopg.errors.UniqueViolation:
        return False
    return True


async def rotate_webhook_secret(
    connection: Connection, account_id: str, sealed: bytes, overlap_hours: int
) -> datetime | None:
    """Put a new secret in place of the present one, which signs too while they overlap.

    Gives when the present one stops; None when that is at once.
    """
    cursor = await connection.execute(
        """
        update identities
           set previous_webhook_secret_sealed =
                 case when %(hours)s > 0 then webhook_secret_sealed end,
               previous_secret_expires_at =
                 case when %(hours)s > 0 then now() + %(hours)s * interval '1 hour' end,
               webhook_secret_sealed = %(sealed)s, updated_at = now()
         where account_id = %(account)s
        returning previous_secret_expires_at
        """,
        {"account": account_id, "sealed": sealed, "hours": overlap_hours},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


_CHANGEABLE = ("email", "alert_webhook_url", "email_notifications")
