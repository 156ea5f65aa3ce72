"""The one way to Postgres: a bounded pool, timeouts on everything, one transaction helper."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import psycopg
from prometheus_client import Counter, Gauge, Histogram
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from libs.runtime.clock import monotonic
from libs.runtime.gathering import Gathered

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

STATEMENT_TIMEOUT = "15s"
LOCK_TIMEOUT = "5s"
IDLE_TIMEOUT = "30s"
POOL_WAIT_SECONDS = 5.0
RECONNECT_SECONDS = 5.0

POOL_WAIT = Histogram(
    "cueapi_postgres_pool_wait_seconds",
    "What it took to be lent a connection to Postgres",
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5),
)
IN_USE = Gauge("cueapi_postgres_connections_in_use", "Connections to Postgres that are lent")
ERRORS = Counter(
    "cueapi_postgres_errors_total",
    "Statements and loans that failed: Postgres was away, or another transaction was first",
    ["kind"],
)

_OPTIONS = (
    f"-c statement_timeout={STATEMENT_TIMEOUT} -c lock_timeout={LOCK_TIMEOUT}"
    f" -c idle_in_transaction_session_timeout={IDLE_TIMEOUT} -c timezone=UTC -c jit=off"
)


class Unavailable(Exception):
    """Postgres cannot be reached, or did not answer in time. Try again in a few seconds."""


class Conflict(Exception):
    """Another transaction was first; load and decide again."""


class Transaction(NamedTuple):
    """An open transaction's connection, and its `now()`: the clock of every decision."""

    connection: Connection
    now: datetime


class Statement(NamedTuple):
    """SQL, and its parameters."""

    sql: str
    params: Sequence[Any]


class Database:
    """A pool of connections which all have the same time limits."""

    def __init__(self, url: str, *, max_connections: int = 8, name: str = "cueapi") -> None:
        self._gathered: dict[str, Gathered[str, list[Any]]] = {}
        self._weeding: asyncio.Task[None] | None = None
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            kwargs={
                "autocommit": True,
                "application_name": name,
                "options": _OPTIONS,
                "connect_timeout": 5,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
            },
            min_size=1,
            max_size=max_connections,
            timeout=POOL_WAIT_SECONDS,
            max_waiting=512,
            # The pool waits twice as long after each failure: let it give up soon, since the next
            # request then tries at once. With 60 s, it came back up to half a minute too late.
            reconnect_timeout=RECONNECT_SECONDS,
            check=None,
            open=False,
        )

    async def open(self) -> None:
        """Start the pool; connections are made in the background."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        if self._weeding is not None:
            self._weeding.cancel()
        await self._pool.close(timeout=5)

    async def answers(self) -> bool:
        """Whether Postgres answers at all."""
        try:
            await self.rows("select 1")
        except Unavailable:
            return False
        return True

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend one connection in autocommit. Raises `Unavailable` and `Conflict`."""
        began = monotonic()
        with _Translated():
            async with self._pool.connection() as connection:
                POOL_WAIT.observe(monotonic() - began)
                IN_USE.inc()
                try:
                    yield connection
                finally:
                    IN_USE.dec()
                    if connection.broken:
                        self._weed_out()

    def _weed_out(self) -> None:
        """Look at the idle connections too: a server that was restarted has broken all of them."""
        if self._weeding is None or self._weeding.done():
            self._weeding = asyncio.create_task(self._pool.check())

    @asynccontextmanager
    async def transaction(
        self, last: Callable[[], Statement | None] = lambda: None
    ) -> AsyncIterator[Transaction]:
        """Run the block in one transaction: committed at its end, rolled back if it raises.

        `last` gives, after the block, a statement that is run in the commit's own round trip.
        Raises `Unavailable` when Postgres is away and `Conflict` when another transaction won.
        """
        async with self.connection() as connection:
            # One round trip begins the transaction and reads its clock.
            cursor = await connection.execute("begin; select now()")
            cursor.nextset()
            row = await cursor.fetchone()
            assert row is not None
            try:
                yield Transaction(connection, row[0])
                await _commit(connection, last())
            except BaseException:
                if not connection.broken:
                    # A session that is gone is rolled back; and what ended the block, a
                    # cancellation perhaps, must not be hidden by that.
                    with suppress(psycopg.OperationalError):
                        await connection.execute("rollback")
                raise

    async def rows(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """Read rows as dictionaries, outside any transaction."""
        async with self.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(sql, params)
            return await cursor.fetchall() if cursor.description else []

    async def each(self, sql: str, item: Mapping[str, Any]) -> list[Any]:
        """Give the rows that a set-based statement gives for one item; many callers share one run.

        `sql` takes the items as one JSON array (`%s::json`, a recordset), each with its number `n`,
        and gives rows with that `n`. Items must be plain JSON.
        """
        gathered = self._gathered.get(sql)
        if gathered is None:
            gathered = self._gathered[sql] = Gathered(partial(self._for_items, sql))
        return await gathered.get(json_text(item)) or []

    async def _for_items(self, sql: str, items: Sequence[str]) -> dict[str, list[Any]]:
        numbered = (f'{{"n":{number},{item[1:]}' for number, item in enumerate(items))
        found: dict[str, list[Any]] = {}
        for row in await self.rows(sql, [f"[{','.join(numbered)}]"]):
            found.setdefault(items[row["n"]], []).append(row)
        return found

    async def execute(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> int:
        """Run one statement in a transaction of its own; gives the number of rows it touched."""
        async with self.connection() as connection:
            cursor = await connection.execute(sql, params)
            return cursor.rowcount


async def _commit(connection: Connection, last: Statement | None) -> None:
    if last is None:
        await connection.execute("commit")
        return
    async with connection.pipeline():
        await connection.execute(last.sql, last.params)
        # Never by a prepared name: what follows a failed statement is not prepared, and psycopg
        # would think that it is.
        await connection.execute("commit", prepare=False)


class _Translated:
    """Turns psycopg's errors into the two that callers can act on."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        match error:
            case (
                psycopg.errors.SerializationFailure()
                | psycopg.errors.DeadlockDetected()
                | psycopg.errors.UniqueViolation()
                | psycopg.errors.LockNotAvailable()
            ):
                ERRORS.labels("conflict").inc()
                raise Conflict(str(error)) from error
            case psycopg.OperationalError() | psycopg.InterfaceError() | PoolTimeout():
                ERRORS.labels("unavailable").inc()
                raise Unavailable(str(error)) from error
            case _:
                return


def json_text(value: Any) -> str:
    """Dump a plain value as compact JSON for a `jsonb` parameter."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
