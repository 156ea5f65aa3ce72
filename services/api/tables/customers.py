"""Who an account is to Stripe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from libs.runtime.postgres import Connection


class Store(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """Give the rows as dictionaries."""
        ...


class Customer(NamedTuple):
    """An account's address, and its customer id if it ever subscribed."""

    email: str
    customer_id: str | None


async def find_customer(database: Store, account_id: str) -> Customer | None:
    """Read who an account is to Stripe; None when the account is gone."""
    rows = await database.rows(
        "select email, stripe_customer_id as customer_id from identities"
        " where account_id = %(account)s",
        {"account": account_id},
    )
    return Customer(**rows[0]) if rows else None


async def account_of_customer(connection: Connection, customer_id: str) -> str | None:
    """Find the account of a customer."""
    cursor = await connection.execute(
        "select account_id::text from identities where stripe_customer_id = %s", [customer_id]
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def note_customer(connection: Connection, account_id: str, customer_id: str) -> None:
    """Note who an account is to Stripe."""
    await connection.execute(
        "update identities set stripe_customer_id = %s where account_id = %s"
        " and stripe_customer_id is distinct from %s",
        (customer_id, account_id, customer_id),
    )
