"""Keys that seal are rotated: in batches, again after a crash, until the old one can go."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from typing_extensions import override

from libs.events.blobs import get_blobs
from libs.events.log import PostgresLog
from libs.runtime.crypto import CannotOpen, Keyring
from libs.runtime.postgres import Database
from services.admin.tables import sealed
from services.admin.tables.sealed import PLACES, left_over, reseal_all
from tests.services.admin.tenant import HEADER, settle
from tests.services.admin.tenant import SECRETS as PLANTED

pytestmark = pytest.mark.integration

OLD, NEW = Keyring([b"o" * 32]), Keyring([b"n" * 32])
BOTH = Keyring([b"n" * 32, b"o" * 32])
PER_ACCOUNT = len(PLACES)


@pytest.fixture(autouse=True)
async def nothing_sealed(database: Database) -> AsyncIterator[None]:
    yield
    for place in PLACES:
        await database.execute(f"delete from {place.table}")


async def opened(database: Database, keyring: Keyring) -> set[str]:
    """Open everything that lies sealed anywhere."""
    texts = set()
    for place in PLACES:
        column = sealed._KEPT_ANSWER if place.column == "reply" else place.column
        which = "" if place.table != "blobs" else "where body not like '{%%'"
        rows = await database.rows(
            f"select account_id::text, {column} as sealed from {place.table} {which}"
        )
        for row in rows:
            plain = keyring.open(row["account_id"], place.purpose, bytes(row["sealed"]))
            texts.add(plain.decode())
    return texts


async def test_everything_is_sealed_anew_and_the_old_key_can_go(
    database: Database, postgres_log: PostgresLog
) -> None:
    tenants = [await settle(postgres_log, OLD) for _ in range(3)]
    before = await opened(database, OLD)
    assert all(any(secret in text for text in before) for secret in PLANTED)
    assert sum((await left_over(database, BOTH)).values()) == 3 * PER_ACCOUNT
    resealed = [progress.resealed async for progress in reseal_all(database, BOTH)]
    assert sum(resealed) == 3 * PER_ACCOUNT
    assert await left_over(database, BOTH) == {}
    assert await opened(database, NEW) == before
    async with database.transaction() as (connection, _):
        key = (tenants[0].id, tenants[0].headers_ref)
        found = await get_blobs(connection, [key])
    assert NEW.open(key[0], "callback-headers", found[key]) == HEADER.encode()


async def test_a_rotation_that_is_cut_off_is_gone_on_with(
    database: Database, postgres_log: PostgresLog
) -> None:
    await settle(postgres_log, OLD)
    before = await opened(database, OLD)
    async for _ in reseal_all(database, BOTH):
        break  # the process dies after the first batch
    assert sum((await left_over(database, BOTH)).values()) == PER_ACCOUNT - 1
    assert await opened(database, BOTH) == before
    rest = [progress.resealed async for progress in reseal_all(database, BOTH)]
    assert sum(rest) == PER_ACCOUNT - 1
    assert await opened(database, NEW) == before


async def test_a_batch_that_fails_leaves_what_was(
    database: Database, postgres_log: PostgresLog
) -> None:
    await settle(postgres_log, OLD)
    before = await opened(database, OLD)

    class Dies(Keyring):
        @override
        def reseal(self, account_id: str, purpose: str, sealed: bytes) -> bytes:
            if purpose == "api-key":
                raise RuntimeError("the process dies in the middle of a batch")
            return super().reseal(account_id, purpose, sealed)

    with pytest.raises(RuntimeError):
        [progress async for progress in reseal_all(database, Dies([b"n" * 32, b"o" * 32]))]
    assert await opened(database, BOTH) == before


async def test_what_no_key_opens_is_told_and_left(
    database: Database, postgres_log: PostgresLog
) -> None:
    await settle(postgres_log, OLD)
    told = [progress async for progress in reseal_all(database, NEW)]
    # A blob that an unknown key sealed can't be told from one that was never sealed.
    assert sum(progress.unopened for progress in told) == PER_ACCOUNT - 1
    assert sum(progress.resealed for progress in told) == 0
    assert sum((await left_over(database, NEW)).values()) == PER_ACCOUNT - 1
    with pytest.raises(CannotOpen):
        await opened(database, NEW)


async def test_every_sealed_column_is_a_place(database: Database) -> None:
    rows = await database.rows(
        "select c.relname || '.' || a.attname as name from pg_class c"
        "  join pg_attribute a on a.attrelid = c.oid"
        " where c.relkind in ('r', 'p') and a.attname like '%%sealed%%'"
        "   and c.relnamespace = 'public'::regnamespace"
    )
    assert rows
    assert {row["name"] for row in rows} <= {f"{p.table}.{p.column}" for p in PLACES}
