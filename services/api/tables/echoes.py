"""What was sent to an echo: the last one by its token, for five minutes (contract §3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from libs.runtime.postgres import json_text


class Store(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """Give the rows as dictionaries."""
        ...


class Echo(NamedTuple):
    """A request as it came: its body as JSON."""

    body: bytes
    headers: dict[str, str]
    received_at: datetime


async def keep_echo(database: Store, token: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Keep a request; the last one wins."""
    await database.rows(
        "insert into echoes (token, body, headers, received_at)"
        " values (%(token)s, %(body)s, %(headers)s::json, now())"
        " on conflict (token) do update set body = excluded.body, headers = excluded.headers,"
        " received_at = excluded.received_at",
        {"token": token, "body": body, "headers": json_text(dict(headers))},
    )


async def find_echo(database: Store, token: str) -> Echo | None:
    """Read what was kept; None when nothing came in the last five minutes."""
    rows = await database.rows(
        "select body, headers, received_at from echoes"
        " where token = %(token)s and received_at > now() - interval '5 minutes'",
        {"token": token},
    )
    if not rows:
        return None
    return Echo(bytes(rows[0]["body"]), rows[0]["headers"], rows[0]["received_at"])
