"""Blobs: payloads and texts by the hash of their bytes, so that messages carry references only."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from libs.events.blobs import Blob
from libs.runtime.postgres import json_text

LARGE_BYTES = 65_536
"""Larger bodies have a statement of their own: together they would take too much memory."""

HEAD_BYTES = 8_000
"""Enough for the first 2,000 characters of any text."""


class Blobs(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
        """Give the rows as dictionaries."""
        ...

    async def each(self, sql: str, item: Mapping[str, Any]) -> list[Any]:
        """Give the rows for one item of a set-based statement."""
        ...


# Sorted, so that two statements with the same blobs wait for each other in one order.
_STORE = """
with asked as (
  select n, account, sha256, body
    from json_to_recordset(%s::json) as a(n int, account uuid, sha256 text, body text)
), stored as (
  insert into blobs (account_id, sha256, body)
  select distinct on (account, sha256) account, decode(sha256, 'hex'), decode(body, 'base64')
    from asked order by account, sha256
  on conflict do nothing
)
select n from asked
"""


async def store(database: Blobs, account_id: str, blobs: Sequence[Blob | None]) -> None:
    """Store what is not None; what is there already stays."""
    await asyncio.gather(*(_store(database, account_id, blob) for blob in blobs if blob))


async def _store(database: Blobs, account_id: str, blob: Blob) -> None:
    body = base64.b64encode(blob.body).decode()
    item = {"account": account_id, "sha256": blob.sha256, "body": body}
    if len(blob.body) > LARGE_BYTES:
        await database.rows(_STORE, [json_text([{"n": 0, **item}])])
    else:
        await database.each(_STORE, item)


async def fetch(
    database: Blobs,
    account_id: str,
    refs: Sequence[str | None],
    heads: Sequence[str | None] = (),
) -> dict[str, bytes]:
    """Read blobs by their hex references; of those in `heads` alone only the first bytes.

    The result has every one that exists.
    """
    whole = {ref for ref in refs if ref is not None}
    wanted = whole | {ref for ref in heads if ref is not None}
    if len(wanted) == len(whole) == 1:
        item = {"account": account_id, "sha256": next(iter(whole))}
        rows = await database.each(_FETCH_ONE, item)
    elif wanted:
        rows = await database.rows(_FETCH, _parameters(account_id, wanted, whole))
    else:
        rows = []
    return {row["sha256"].hex(): bytes(row["body"]) for row in rows}


def _parameters(account_id: str, wanted: set[str], whole: set[str]) -> dict[str, Any]:
    return {
        "account": account_id,
        "wanted": ",".join(wanted),
        "whole": ",".join(whole),
        "head": HEAD_BYTES,
    }


_FETCH_ONE = """
select a.n, b.sha256, b.body
  from json_to_recordset(%s::json) as a(n int, account uuid, sha256 text)
  join blobs b on b.account_id = a.account and b.sha256 = decode(a.sha256, 'hex')
"""
_FETCH = """
select sha256,
       case when encode(sha256, 'hex') = any(string_to_array(%(whole)s, ','))
            then body else substring(body for %(head)s) end as body
  from blobs
 where account_id = %(account)s
   and sha256 in (select decode(ref, 'hex') from unnest(string_to_array(%(wanted)s, ',')) ref)
"""
