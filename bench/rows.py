"""What it costs this process to hand rows to Postgres: one JSON document, or an array a column.

`python -m bench.rows`, on a Postgres of its own. Both ways start from the same rows, and insert the
same events in transactions of a hundred.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local.postgres import LocalPostgres
from libs.events.base import stream_of
from libs.events.envelope import Meta, encode
from libs.events.examples import ACCOUNT, TRACE, example
from libs.events.execution_events import AttemptStarted
from libs.events.executions import CATEGORY
from libs.events.log import insert_rows, month_of
from libs.events.migrate import migrate
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Connection, Database

BATCH, BATCHES, ROUNDS = 100, 40, 4

Row = dict[str, Any]
Insert = Callable[[Connection, list[Row]], Awaitable[None]]

COLUMNS = {
    "id": "uuid",
    "month": "date",
    "stream_id": "text",
    "version": "integer",
    "type": "text",
    "schema_version": "smallint",
    "account_id": "uuid",
    "data": "json",
    "meta": "json",
    "recorded_at": "timestamptz",
}
_ARRAYS = (
    f"insert into events ({', '.join(COLUMNS)})"
    f" select * from unnest({', '.join(f'%s::{kind}[]' for kind in COLUMNS.values())})"
)


async def as_document(connection: Connection, rows: list[Row]) -> None:
    """Insert as the log does."""
    await insert_rows(connection, "events", rows)


async def as_arrays(connection: Connection, rows: list[Row]) -> None:
    """Insert with one array for each column."""
    await connection.execute(_ARRAYS, [_column(rows, name, COLUMNS[name]) for name in COLUMNS])


def _column(rows: list[Row], name: str, kind: str) -> list[Any]:
    values = [row[name] for row in rows]
    return [encode(value).decode() for value in values] if kind == "json" else values


def batch() -> list[Row]:
    """A hundred events, each the first of its stream."""
    now = datetime.now(UTC)
    event = example(AttemptStarted)
    rows = []
    for _ in range(BATCH):
        stream = stream_of(CATEGORY, new_uuid())
        rows.append(
            {
                "id": new_uuid(),
                "month": month_of(stream),
                "stream_id": stream,
                "version": 1,
                "type": "AttemptStarted",
                "schema_version": 1,
                "account_id": ACCOUNT,
                "data": event,
                "meta": Meta(correlation_id=stream, actor="bench", traceparent=TRACE),
                "recorded_at": now,
            }
        )
    return rows


async def microseconds(database: Database, insert: Insert) -> tuple[float, float]:
    """CPU time of this process, and time in all, of one event."""
    batches = [batch() for _ in range(BATCHES)]
    wall, cpu = time.perf_counter(), time.process_time()
    for rows in batches:
        async with database.transaction() as (connection, _):
            await insert(connection, rows)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / BATCHES / BATCH * 1e6, wall / BATCHES / BATCH * 1e6


async def run() -> None:
    """Print what each way costs, in the best of its rounds."""
    with tempfile.TemporaryDirectory(prefix="cueapi-bench-") as folder:
        server = LocalPostgres(Path(folder) / "data", fsync=False)
        await server.start()
        try:
            await asyncio.to_thread(migrate, server.dsn)
            database = Database(server.dsn, max_connections=2, name="bench")
            await database.open()
            try:
                await _compare(database)
            finally:
                await database.close()
        finally:
            await server.stop()


async def _compare(database: Database) -> None:
    costs: dict[str, list[tuple[float, float]]] = {"one JSON document": [], "arrays, unnest": []}
    for _ in range(ROUNDS):
        costs["one JSON document"].append(await microseconds(database, as_document))
        costs["arrays, unnest"].append(await microseconds(database, as_arrays))
    for name, rounds in costs.items():
        cpu, wall = min(rounds)
        print(f"{name:<18} {cpu:5.1f} µs of this process's CPU an event, {wall:6.1f} µs in all")


if __name__ == "__main__":
    asyncio.run(run())
