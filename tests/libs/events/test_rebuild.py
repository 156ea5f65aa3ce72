"""The rows are what the log says: proven, found out when not, and written anew from it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings

from libs.events.log import PostgresLog
from libs.events.rebuild import rebuild, verify
from libs.runtime.postgres import Database
from tests.libs.events.histories import Numbers, World, histories
from tests.servers import PostgresServer, fresh_database

pytestmark = pytest.mark.integration

TABLES = ("accounts", "cues", "executions", "alerts", "usage", "cue_activity", "outcome_counts")
A_LIFE = [[number * 37 for number in range(part * 40, part * 40 + 40)] for part in range(4)]


async def live(database: Database, history: Sequence[Numbers]) -> World:
    world, log = World(), PostgresLog(database)
    for numbers in history:
        async with log.transaction() as unit:
            await world.transact(unit, numbers)
    return world


async def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table that the log determines."""
    found = {}
    for table in TABLES:
        rows = await database.rows(f"select to_jsonb(t)::text as row from {table} t")
        found[table] = sorted(row["row"] for row in rows)
    return found


@asynccontextmanager
async def a_lived_database(
    postgres: PostgresServer, template: str
) -> AsyncIterator[tuple[str, Database]]:
    """A database of its own in which a good deal has happened, and its URL."""
    async with fresh_database(postgres, template) as url:
        database = Database(url, max_connections=2)
        await database.open()
        await live(database, A_LIFE)
        yield url, database
        await database.close()


@pytest.fixture(scope="module")
async def one_life(postgres: PostgresServer, migrated: str) -> AsyncIterator[tuple[str, Database]]:
    async with a_lived_database(postgres, migrated) as made:
        yield made


@pytest.fixture
async def lived(one_life: tuple[str, Database]) -> AsyncIterator[tuple[str, Database]]:
    """A database in which a good deal has happened, and its URL; put right after each test."""
    yield one_life
    await rebuild(one_life[1])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories)
async def test_the_rows_of_any_history_are_what_the_log_says(
    database: Database, history: Sequence[Numbers]
) -> None:
    await live(database, history)
    assert await verify(database) == []


async def test_a_life_touches_every_table(lived: tuple[str, Database]) -> None:
    _, database = lived
    assert {table for table, rows in (await contents(database)).items() if rows} == set(TABLES)


async def test_rebuilding_gives_the_same_rows(lived: tuple[str, Database]) -> None:
    _, database = lived
    before = await contents(database)
    assert await rebuild(database) == sum(len(rows) for rows in before.values())
    assert await contents(database) == before
    assert await verify(database) == []


TAMPERED = {
    "accounts": "update accounts set plan = 'scale'",
    "cues": "update cues set next_run = '2030-01-01' where ctid = (select min(ctid) from cues)",
    "executions": "update executions set status = 'success', version = version + 1"
    " where ctid = (select min(ctid) from executions)",
    "alerts": "update alerts set kind = 'other' where ctid = (select min(ctid) from alerts)",
    "usage": "update usage set executions = executions + 1",
    "cue_activity": "update cue_activity set run_count = run_count + 1",
    "outcome_counts": "update outcome_counts set failed = failed + 1",
}


@pytest.mark.parametrize("table", TABLES)
async def test_a_row_that_was_tampered_with_is_found_and_put_right(
    lived: tuple[str, Database], table: str
) -> None:
    _, database = lived
    before = await contents(database)
    assert await database.execute(TAMPERED[table]) > 0
    assert {difference.table for difference in await verify(database)} == {table}
    await rebuild(database)
    assert await contents(database) == before


async def test_a_row_whose_state_was_tampered_with_is_found(lived: tuple[str, Database]) -> None:
    _, database = lived
    await database.execute("update accounts set state = replace(state::text, 'pro', 'scale')::json")
    (difference,) = await verify(database)
    assert difference.table == "accounts"
    assert "scale" in difference.as_fields()["found"]
    assert "scale" not in difference.as_fields()["expected"]


@pytest.mark.parametrize("table", TABLES)
async def test_a_row_that_was_lost_is_found(lived: tuple[str, Database], table: str) -> None:
    _, database = lived
    lost = await database.execute(
        f"delete from {table} where ctid = (select min(ctid) from {table})"
    )
    differences = await verify(database)
    assert [(part.table, part.found) for part in differences] == [(table, None)] * lost
    assert lost == 1


async def test_a_row_that_no_event_made_is_found(lived: tuple[str, Database]) -> None:
    _, database = lived
    await database.execute(
        "insert into usage (account_id, period, executions)"
        " values (gen_random_uuid(), '2026-03-01', 4)"
    )
    (difference,) = await verify(database)
    assert difference.table == "usage"
    assert difference.expected is None


async def test_an_event_that_was_lost_is_found(postgres: PostgresServer, migrated: str) -> None:
    async with a_lived_database(postgres, migrated) as (_, database):
        await database.execute(
            "delete from events where (stream_id, version) ="
            " (select stream_id, 2 from events where version = 3 limit 1)"
        )
        with pytest.raises(AssertionError, match="jumps from version 1 to 3"):
            await verify(database)


async def test_the_command_line_says_whether_rows_and_log_agree(
    lived: tuple[str, Database],
) -> None:
    url, database = lived

    await database.execute(TAMPERED["alerts"])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "libs.events", "verify"),
        env={**os.environ, "DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert b"alerts" in output
