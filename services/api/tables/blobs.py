"""Blobs: payloads and texts by the hash of their bytes, so that messages carry references only."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from libs.events.blobs import Blob

HEAD_BYTES = 8_000
"""Enough for the first 2,000 characters of any text."""


class Blobs(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
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
    for blob in blobs:
        if blob is not None:
            body = base64.b64encode(blob.body).decode()
            item = {"account": account_id, "sha256": blob.sha256, "body": body}
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
    if not wanted:
        return {}
    rows = await database.rows(
        "select sha256, case when sha256 = any(%(whole)s::bytea[]) then body"
        "       else substring(body for %(head)s) end as body"
        "  from blobs where account_id = %(account)s and sha256 = any(%(hashes)s::bytea[])",
        {
            "account": account_id,
            "hashes": [bytes.fromhex(ref) for ref in sorted(wanted)],
            "whole": [bytes.fromhex(ref) for ref in sorted(whole)],
            "head": HEAD_BYTES,
        },
    )
    return {row["sha256"].hex(): bytes(row["body"]) for row in rows}
