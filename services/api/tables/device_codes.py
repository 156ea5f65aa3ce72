"""Sign-ins by device code, from the code to its collection (contract §2 nr 30-32).

Codes, and what is in links and tokens, rest hashed: who reads the table can collect nothing. A code
lives 900 s; an approved one may be collected for five minutes longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from libs.runtime.postgres import Connection
from services.api.rules.tokens import token_hash

LIFE_SECONDS = 900
COLLECT_SECONDS = 300


class Store(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
        """Give the rows as dictionaries."""
        ...


class DeviceCode(NamedTuple):
    """A sign-in. `status`: pending, email_sent, approved, claimed; `live` until it expires."""

    status: str
    email: str | None
    account_id: str | None
    link_hash: bytes | None
    return_to: str | None
    return_state: str | None
    live: bool


async def add_code(
    database: Store, code: str, return_to: str | None = None, return_state: str | None = None
) -> bool:
    """Begin a sign-in; false when a live, uncollected one has this code.

    `return_to` is where the browser goes when it is approved.
    """
    rows = await database.rows(
        """
        insert into device_codes as d (code, return_to, return_state, expires_at)
        values (%(code)s, %(to)s, %(state)s, now() + %(life)s * interval '1 second')
        on conflict (code) do update
           set status = 'pending', email = null, link_hash = null, account_id = null,
               session_hash = null, browser_hash = null, return_to = excluded.return_to,
               return_state = excluded.return_state, created_at = now(), claimed_at = null,
               expires_at = excluded.expires_at
         where d.status = 'claimed' or d.expires_at <= now()
        returning code
        """,
        {"code": _at_rest(code), "to": return_to, "state": return_state, "life": LIFE_SECONDS},
    )
    return bool(rows)


async def find_code(database: Store, code: str) -> DeviceCode | None:
    """Read a sign-in; None when there is none."""
    rows = await database.rows(
        f"select {_COLUMNS} from device_codes where code = %(code)s",  # noqa: S608 - our names
        {"code": _at_rest(code)},
    )
    return DeviceCode(**rows[0]) if rows else None


async def lock_code(connection: Connection, code: str) -> DeviceCode | None:
    """Read a sign-in and keep others from it until the transaction ends."""
    cursor = await connection.execute(
        f"select {_COLUMNS} from device_codes where code = %s for update",  # noqa: S608 - our names
        [_at_rest(code)],
    )
    row = await cursor.fetchone()
    return DeviceCode(*row) if row else None


async def mark_mailed(database: Store, code: str, email: str, link_hash: bytes) -> bool:
    """Note whom the link went to; a new one replaces it. False when it is approved or over."""
    rows = await database.rows(
        "update device_codes set status = 'email_sent', email = %(email)s, link_hash = %(link)s"
        " where code = %(code)s and status in ('pending', 'email_sent') and expires_at > now()"
        " returning code",
        {"code": _at_rest(code), "email": email, "link": link_hash},
    )
    return bool(rows)


async def approve(connection: Connection, code: str, account_id: str, browser_hash: bytes) -> None:
    """Let the sign-in be collected by whoever has the code; its link works no more.

    The browser that approved gets a one-time session token of its own.
    """
    await connection.execute(
        "update device_codes set status = 'approved', account_id = %s, browser_hash = %s,"
        " link_hash = null, expires_at = expires_at + %s * interval '1 second' where code = %s",
        (account_id, browser_hash, COLLECT_SECONDS, _at_rest(code)),
    )


async def collect(connection: Connection, code: str, session_hash: bytes) -> None:
    """Note that the sign-in was collected, with a one-time session token."""
    await connection.execute(
        "update device_codes set status = 'claimed', session_hash = %s, claimed_at = now()"
        " where code = %s",
        (session_hash, _at_rest(code)),
    )


async def use_session_token(database: Store, session_hash: bytes) -> str | None:
    """Give the account that a one-time session token is for, once; None when it is for none."""
    rows = await database.rows(
        "update device_codes set session_hash = nullif(session_hash, %(hash)s),"
        "       browser_hash = nullif(browser_hash, %(hash)s)"
        " where (session_hash = %(hash)s or browser_hash = %(hash)s) and expires_at > now()"
        " returning account_id::text as id",
        {"hash": session_hash},
    )
    return str(rows[0]["id"]) if rows else None


def _at_rest(code: str) -> str:
    return token_hash(code).hex()


_COLUMNS = (
    "status, email, account_id::text as account_id, link_hash, return_to, return_state,"
    " expires_at > now() as live"
)
