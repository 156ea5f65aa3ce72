"""Nothing grows for ever: what nobody can ask for any more is deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.events.upkeep import Upkeep
from libs.runtime.health import Health
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database

pytestmark = pytest.mark.integration

PUT = """
insert into command_results
  (command_id, account_id, idempotency_key, request_hash, reply, created_at)
values (%s, %s, %s, 'hash', '{}', now() - %s::interval)
"""


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = Database(postgres_url, max_connections=2, name="test")
    await opened.open()
    yield opened
    await opened.close()


async def test_replies_are_kept_as_long_as_they_can_be_asked_for(database: Database) -> None:
    kept = {
        "redelivery": await put(database, None, "59 minutes"),
        "keyed": await put(database, "key-1", "24 hours"),
    }
    await put(database, None, "61 minutes")
    await put(database, "key-2", "26 hours")
    assert await Upkeep(database, Health()).run_once() == 2
    rows = await database.rows("select command_id::text as id from command_results")
    assert {row["id"] for row in rows} == set(kept.values())


async def test_rate_windows_that_have_emptied_go(database: Database) -> None:
    for subject, age in (("idle", "3 minutes"), ("busy", "10 seconds")):
        await database.execute(
            "insert into rate_windows values (%s, array[now() - %s::interval])", [subject, age]
        )
    await Upkeep(database, Health()).run_once()
    assert await database.rows("select subject from rate_windows") == [{"subject": "busy"}]


async def test_the_coming_months_have_partitions(database: Database) -> None:
    await Upkeep(database, Health()).run_once()
    rows = await database.rows(
        "select count(*) as ahead from pg_class where relispartition and relkind = 'r'"
        " and relname > to_char(now(), '\"events_\"YYYY_MM') and relname < 'events_3'"
    )
    assert rows[0]["ahead"] == 3


async def put(database: Database, key: str | None, age: str) -> str:
    command_id = new_uuid()
    await database.execute(PUT, [command_id, new_uuid(), key, age])
    return command_id


async def test_sign_ins_and_echoes_go_in_time(database: Database) -> None:
    for code, age in (("ended", "61 minutes"), ("just-ended", "59 minutes")):
        await database.execute(
            "insert into device_codes (code, expires_at) values (%s, now() - %s::interval)",
            [code, age],
        )
    for token, age in (("old", "6 minutes"), ("young", "4 minutes")):
        await database.execute(
            "insert into echoes values (%s, '', '{}', now() - %s::interval)", [token, age]
        )
    await Upkeep(database, Health()).run_once()
    assert await database.rows("select code from device_codes") == [{"code": "just-ended"}]
    assert await database.rows("select token from echoes") == [{"token": "young"}]
