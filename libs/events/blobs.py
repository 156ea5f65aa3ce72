"""Bodies that messages only refer to: payloads, results, evidence, answers (design §2 rule 11).

Content-addressed within an account, so storing one twice is storing it once.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping

from libs.events.base import Value
from libs.events.envelope import encode
from libs.runtime.postgres import Connection

_GET = """
select b.account_id::text, encode(b.sha256, 'hex'), b.body
  from unnest(%s::uuid[], %s::text[]) wanted(account_id, sha256)
  join blobs b on b.account_id = wanted.account_id and b.sha256 = decode(wanted.sha256, 'hex')
"""
_PUT = """
insert into blobs (account_id, sha256, body)
select account_id, decode(sha256, 'hex'), decode(body, 'base64')
  from json_to_recordset(%s::json) as r(account_id uuid, sha256 text, body text)
 order by account_id, sha256
on conflict do nothing
"""

BlobKey = tuple[str, str]
"""An account's id, and the hex SHA-256 of a body."""


class Blob(Value):
    """Bytes, and the hash by which they are found."""

    sha256: str
    body: bytes


def blob_of(body: bytes) -> Blob:
    """Name some bytes by their hash."""
    return Blob(sha256=hashlib.sha256(body).hexdigest(), body=body)


async def get_blobs(connection: Connection, wanted: Collection[BlobKey]) -> dict[BlobKey, bytes]:
    """Read bodies; those that do not exist are left out."""
    accounts, hashes = [account for account, _ in wanted], [sha256 for _, sha256 in wanted]
    cursor = await connection.execute(_GET, [accounts, hashes])
    return {(account, sha256): body for account, sha256, body in await cursor.fetchall()}


async def put_blobs(connection: Connection, bodies: Mapping[BlobKey, bytes]) -> None:
    """Store bodies; those that are there already are left alone."""
    rows = [
        {"account_id": account, "sha256": sha256, "body": base64.b64encode(body).decode()}
        for (account, sha256), body in bodies.items()
    ]
    await connection.execute(_PUT, [encode(rows).decode()])
