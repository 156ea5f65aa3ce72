"""Blobs: payloads and texts by the hash of their bytes, so that messages carry references only."""

from __future__ import annotations

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

    async def execute(self, sql: str, params: Mapping[str, Any]) -> int:
        """Run one statement."""
        ...


async def store(database: Blobs, account_id: str, blobs: Sequence[Blob | None]) -> None:
    """Store what is not None, in one statement; what is there already stays."""
    # Sorted, so that two requests with the same blobs wait for each other in one order.
    wanted = sorted((b for b in blobs if b is not None), key=lambda blob: blob.sha256)
    if not wanted:
        return
    await database.execute(
        "insert into blobs (account_id, sha256, body)"
        " select %(account)s, * from unnest(%(hashes)s::bytea[], %(bodies)s::bytea[])"
        " on conflict do nothing",
        {
            "account": account_id,
            "hashes": [bytes.fromhex(blob.sha256) for blob in wanted],
            "bodies": [blob.body for blob in wanted],
        },
    )


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
