"""The schema, its migrations and the log's partitions."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.events.log import LASTING, PostgresLog, month_of
from libs.events.migrate import migrate
from libs.events.partitions import MONTHS_AHEAD, partition_statements
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Conflict, Database
from tests.libs.events.streams_of import META, new_alert, new_cue, new_execution
from tests.servers import PostgresServer, fresh_database

AGES_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
async def empty_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """The URL of a database without a schema."""
    async with fresh_database(postgres) as url:
        yield url


async def tables(url: str) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace order by 1"
        )
        return [row[0] for row in await cursor.fetchall()]


def uuid_at(instant: datetime) -> str:
    """A UUIDv7 made at that time."""
    milliseconds = f"{int(instant.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}{new_uuid()[13:]}"


@pytest.mark.integration
async def test_migrating_again_changes_nothing(empty_url: str) -> None:
    await asyncio.to_thread(migrate, empty_url)
    before = await tables(empty_url)
    await asyncio.to_thread(migrate, empty_url)
    assert await tables(empty_url) == before


@pytest.mark.integration
async def test_two_processes_may_migrate_at_once(empty_url: str) -> None:
    async def run() -> int:
        # Not by the command line: its other commands take two seconds to load.
        program = f"from libs.events.migrate import migrate; migrate({empty_url!r})"
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        return await process.wait()

    assert set(await asyncio.gather(run(), run())) == {0}
    assert "events_lasting" in await tables(empty_url)


@pytest.mark.integration
async def test_there_is_a_partition_for_this_month_and_for_those_ahead(database: Database) -> None:
    rows = await database.rows(
        "select to_char(current_date + make_interval(months => n), 'YYYY_MM') as month,"
        " to_regclass('events_' ||"
        "   to_char(current_date + make_interval(months => n), 'YYYY_MM')) is not null as there"
        " from generate_series(0, %s) n",
        [MONTHS_AHEAD],
    )
    assert [row["month"] for row in rows if not row["there"]] == []


def test_partitions_follow_one_another_over_the_end_of_the_year() -> None:
    bounds = [
        (statement.split("'")[1], statement.split("'")[3])
        for statement in partition_statements(date(2026, 11, 30))
    ]
    assert bounds == [
        ("2026-11-01", "2026-12-01"),
        ("2026-12-01", "2027-01-01"),
        ("2027-01-01", "2027-02-01"),
        ("2027-02-01", "2027-03-01"),
    ]


@given(
    st.integers(0, 7_000_000_000_000).map(lambda ms: AGES_AGO + timedelta(milliseconds=ms)),
    st.sampled_from(["execution", "alert"]),
)
def test_a_stream_that_ends_lies_in_the_month_in_which_it_began(born: datetime, kind: str) -> None:
    assert month_of(f"{kind}-{uuid_at(born)}") == born.date().replace(day=1)


def test_the_month_is_that_of_utc() -> None:
    edge = datetime(2026, 12, 1, tzinfo=UTC)
    assert month_of(f"execution-{uuid_at(edge)}") == date(2026, 12, 1)
    before = edge - timedelta(milliseconds=1)
    assert month_of(f"execution-{uuid_at(before)}") == date(2026, 11, 1)


def test_a_stream_without_an_end_lies_with_the_lasting_ones() -> None:
    assert month_of("cue-cue_x7k9m2p4q8w1") == LASTING
    assert month_of(f"account-{new_uuid()}") == LASTING


@pytest.mark.integration
async def test_events_lie_in_the_partition_of_their_streams_month(
    postgres_log: PostgresLog, database: Database
) -> None:
    cue = new_cue()
    run, alert = new_execution(cue), new_alert(cue, "e-1")
    forgotten = replace(
        new_execution(cue, triggered_by="manual_fire"),
        execution_id=uuid_at(datetime(2019, 5, 6, tzinfo=UTC)),
    )
    async with postgres_log.transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
        unit.record("execution", run.execution_id, cue.account_id, [run], META)
        unit.record("alert", alert.alert_id, cue.account_id, [alert], META)
        unit.record("execution", forgotten.execution_id, cue.account_id, [forgotten], META)
        month = unit.now.strftime("events_%Y_%m")
    rows = await database.rows(
        "select stream_id, tableoid::regclass::text as partition from events where account_id = %s",
        [cue.account_id],
    )
    assert {row["stream_id"]: row["partition"] for row in rows} == {
        f"cue-{cue.cue_id}": "events_lasting",
        f"execution-{run.execution_id}": month,
        f"alert-{alert.alert_id}": month,
        f"execution-{forgotten.execution_id}": "events_unforeseen",
    }


@pytest.mark.integration
async def test_a_version_of_a_stream_is_in_the_log_once(
    postgres_log: PostgresLog, database: Database
) -> None:
    cue = new_cue()
    async with postgres_log.transaction() as unit:
        unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
    with pytest.raises(Conflict, match="version"):
        await database.execute(
            "insert into events (id, month, stream_id, version, type, schema_version, account_id,"
            " data, meta, recorded_at)"
            " select gen_random_uuid(), month, stream_id, version, type, schema_version,"
            " account_id, data, meta, recorded_at from events where stream_id = %s",
            [f"cue-{cue.cue_id}"],
        )
