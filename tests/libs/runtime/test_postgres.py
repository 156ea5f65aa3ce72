"""The pool, its limits and its two errors, on a real Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from libs.runtime.postgres import Conflict, Connection, Database, Unavailable

pytestmark = pytest.mark.integration

SECONDS = 20.0
KILL_MYSELF = "select pg_terminate_backend(pg_backend_pid())"


@pytest.fixture(autouse=True)
async def things(database: Database) -> AsyncIterator[None]:
    await database.execute("create table things (id int primary key, name text unique)")
    yield
    await database.execute("drop table things")


async def ids(database: Database) -> list[int]:
    return [row["id"] for row in await database.rows("select id from things order by id")]


async def test_a_transaction_commits_at_its_end(database: Database) -> None:
    async with database.transaction() as (connection, _):
        await connection.execute("insert into things values (1)")
        assert await ids(database) == []
    assert await ids(database) == [1]


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as (connection, _):
            await connection.execute("insert into things values (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await ids(database) == []
    assert await database.execute("insert into things values (1)") == 1


async def test_a_transactions_clock_is_the_databases_and_stands_still(database: Database) -> None:
    async with database.transaction() as (connection, now):
        cursor = await connection.execute("select now(), clock_timestamp() >= now()")
        assert await cursor.fetchone() == (now, True)


async def test_every_connection_has_the_same_limits(database: Database) -> None:
    rows = await database.rows(
        "select name, setting, unit from pg_settings where name = any(%s)",
        [
            [
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "TimeZone",
            ]
        ],
    )
    assert {row["name"]: row["setting"] for row in rows} == {
        "statement_timeout": "15000",
        "lock_timeout": "5000",
        "idle_in_transaction_session_timeout": "30000",
        "TimeZone": "UTC",
    }


async def in_transaction(database: Database, *statements: str) -> None:
    async with database.transaction() as (connection, _):
        for statement in statements:
            await connection.execute(statement)


async def test_a_value_that_another_has_is_a_conflict(database: Database) -> None:
    await database.execute("insert into things values (1, 'a')")
    with pytest.raises(Conflict, match="name"):
        await in_transaction(database, "insert into things values (2, 'a')")
    with pytest.raises(Conflict):
        await database.execute("insert into things values (1, 'b')")


async def test_a_lock_that_another_holds_too_long_is_a_conflict(database: Database) -> None:
    await database.execute("insert into things values (1)")
    async with database.transaction() as (holder, _):
        await holder.execute("select from things for update")
        with pytest.raises(Conflict):
            await in_transaction(
                database, "set local lock_timeout = '20ms'", "select from things for update"
            )


async def test_a_snapshot_that_is_overtaken_is_a_conflict(database: Database) -> None:
    await database.execute("insert into things values (1)")

    async def be_overtaken() -> None:
        async with database.connection() as connection, connection.transaction():
            await connection.execute("set transaction isolation level repeatable read")
            await connection.execute("select from things")
            await database.execute("update things set name = 'first'")
            await connection.execute("update things set name = 'second'")

    with pytest.raises(Conflict):
        await be_overtaken()


async def test_of_two_that_wait_for_each_other_one_is_in_conflict(database: Database) -> None:
    await database.execute("insert into things values (1), (2)")
    both_hold = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> str:
        try:
            async with database.transaction() as (connection, _):
                await connection.execute("set local deadlock_timeout = '20ms'")
                await connection.execute("select from things where id = %s for update", [first])
                await both_hold.wait()
                await connection.execute("select from things where id = %s for update", [second])
        except Conflict:
            return "conflict"
        return "done"

    async with asyncio.timeout(SECONDS):
        assert sorted(await asyncio.gather(lock(1, 2), lock(2, 1))) == ["conflict", "done"]


async def test_a_session_that_is_gone_is_unavailable_and_the_next_one_works(
    database: Database,
) -> None:
    with pytest.raises(Unavailable):
        await database.rows(KILL_MYSELF)
    with pytest.raises(Unavailable):
        await in_transaction(database, "insert into things values (1)", KILL_MYSELF)
    assert await ids(database) == []


async def test_what_takes_too_long_is_unavailable(database: Database) -> None:
    with pytest.raises(Unavailable):
        await in_transaction(
            database, "set local statement_timeout = '20ms'", "select pg_sleep(10)"
        )


async def test_a_mistake_in_a_statement_is_neither(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        await database.rows("select from no_such_table")


async def test_a_pool_that_is_closed_is_unavailable(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(Unavailable):
        await database.rows("select 1")
    assert not await database.answers()


async def test_a_database_that_answers_says_so(database: Database) -> None:
    assert await database.answers()


async def test_more_callers_than_connections_wait_for_their_turn(postgres_url: str) -> None:
    database = Database(postgres_url, max_connections=2)
    await database.open()
    async with asyncio.timeout(SECONDS):
        rows = await asyncio.gather(*(database.rows("select 1 as one") for _ in range(40)))
    assert rows == [[{"one": 1}]] * 40
    await database.close()


async def test_a_cancellation_is_not_hidden_by_a_session_that_is_gone(database: Database) -> None:
    began = asyncio.Event()
    pids: list[int] = []

    async def work() -> None:
        async with database.transaction() as (connection, _):
            pids.append(connection.info.backend_pid)
            began.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await began.wait()
    await database.rows("select pg_terminate_backend(%s, 5000)", pids)
    task.cancel()
    await asyncio.wait([task], timeout=SECONDS)
    assert task.cancelled()


async def test_a_transaction_that_was_cancelled_leaves_nothing(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute("insert into things values (1)")
        await connection.execute("select pg_sleep(60)")

    async def transact(began: asyncio.Event) -> None:
        async with database.transaction() as (connection, _):
            began.set()
            await work(connection)

    began = asyncio.Event()
    task = asyncio.create_task(transact(began))
    await began.wait()
    task.cancel()
    await asyncio.wait([task], timeout=SECONDS)
    assert task.cancelled()
    assert await ids(database) == []


async def test_many_who_ask_for_one_thing_each_share_a_statement(database: Database) -> None:
    await database.execute("insert into things values (1, 'one'), (2, 'two')")
    wanted = (
        "select n, name from json_to_recordset(%s::json) as w(n int, id int) join things using (id)"
    )
    found = await asyncio.gather(*(database.each(wanted, {"id": id_}) for id_ in (2, 1, 3, 2)))
    assert [[row["name"] for row in rows] for rows in found] == [["two"], ["one"], [], ["two"]]
