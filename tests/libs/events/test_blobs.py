"""Bodies that messages refer to, on a real Postgres."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.blobs import BlobKey, blob_of, get_blobs, put_blobs
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database


async def put(database: Database, account_id: str, *bodies: bytes) -> list[BlobKey]:
    blobs = [blob_of(body) for body in bodies]
    keys = [(account_id, blob.sha256) for blob in blobs]
    async with database.connection() as connection:
        await put_blobs(connection, {key: blob.body for key, blob in zip(keys, blobs, strict=True)})
    return keys


async def get(database: Database, *keys: BlobKey) -> dict[BlobKey, bytes]:
    async with database.connection() as connection:
        return await get_blobs(connection, keys)


@given(st.binary())
def test_a_body_is_named_by_its_hash(body: bytes) -> None:
    assert blob_of(body).sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.integration
async def test_bodies_are_found_by_account_and_hash(database: Database) -> None:
    account_id = new_uuid()
    bodies = [b"{}", b"\x00\xff\n\\x", b"", "Grüße".encode()]
    keys = await put(database, account_id, *bodies)
    assert await get(database, *keys) == dict(zip(keys, bodies, strict=True))


@pytest.mark.integration
async def test_what_does_not_exist_is_left_out(database: Database) -> None:
    (key,) = await put(database, new_uuid(), b"{}")
    assert await get(database, key, (key[0], "ab" * 32)) == {key: b"{}"}
    assert await get(database) == {}


@pytest.mark.integration
async def test_another_accounts_body_is_not_found(database: Database) -> None:
    (key,) = await put(database, new_uuid(), b"secret plans")
    assert await get(database, (new_uuid(), key[1])) == {}


@pytest.mark.integration
async def test_storing_a_body_twice_stores_it_once(database: Database) -> None:
    account_id = new_uuid()
    async with asyncio.timeout(20):
        await asyncio.gather(*(put(database, account_id, b"{}", b"[]") for _ in range(8)))
    rows = await database.rows("select 1 from blobs where account_id = %s", [account_id])
    assert len(rows) == 2
