"""Folds the whole log and writes the rows from it, or proves that they are equal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import msgspec

from libs.events import cues, executions
from libs.events.archives import lines_of, read_manifest
from libs.events.base import Event, Value, category_of, key_of
from libs.events.counters import (
    Activity,
    Outcomes,
    activity,
    activity_rows,
    outcome_rows,
    outcomes,
    usage,
    usage_rows,
)
from libs.events.envelope import decode, decode_event, encode
from libs.events.execution_events import ExecutionScheduled
from libs.events.log import insert_rows
from libs.events.streams import CATEGORIES
from libs.runtime.postgres import Connection, Database

CHUNK = 1_000
_COUNTERS = {
    "usage": ("account_id", "period"),
    "cue_activity": ("cue_id",),
    "outcome_counts": ("account_id", "period"),
}


class Difference(Value):
    """One row that differs: what the log says, and what the table holds."""

    table: str
    key: str
    expected: Any
    found: Any

    def as_fields(self) -> dict[str, Any]:
        """Give the difference as log fields."""
        return {
            "table": self.table,
            "key": self.key,
            "expected": str(self.expected)[:500],
            "found": str(self.found)[:500],
        }


class Folded(Value):
    """All rows that follow from the log: table to key to row."""

    rows: dict[str, dict[str, dict[str, Any]]]


class Incomplete(Exception):
    """A part of the log lies in archives, without which it cannot be folded."""


async def rebuild(database: Database, archives: Path | None = None) -> int:
    """Write every state row and count anew from the log, in one transaction; give how many.

    Writers wait meanwhile: the tables are locked, so that no event slips in between. Months that
    were archived are read from the folder `archives`. Raises `Incomplete`, `Damaged`.
    """
    async with database.transaction() as (connection, _):
        await connection.execute("set local statement_timeout = 0")
        tables = ", ".join([*(kind.table for kind in CATEGORIES.values()), *_COUNTERS])
        await connection.execute(f"lock table events, {tables} in exclusive mode")
        folded = await fold(connection, archives)
        await connection.execute(f"truncate {tables}")
        total = 0
        for table, rows in folded.rows.items():
            values = list(rows.values())
            for start in range(0, len(values), CHUNK):
                await insert_rows(connection, table, values[start : start + CHUNK])
            total += len(values)
        return total


async def verify(database: Database, archives: Path | None = None) -> list[Difference]:
    """Compare every state row and count with the fold of the log, in one snapshot.

    `archives` as for `rebuild`. Raises `Incomplete`, `Damaged`.
    """
    async with database.connection() as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read")
        await connection.execute("set local statement_timeout = 0")
        folded = await fold(connection, archives)
        differences: list[Difference] = []
        for table, expected in folded.rows.items():
            found = await _rows_of(connection, table)
            for key in expected.keys() | found.keys():
                if expected.get(key) != found.get(key):
                    pair = {"expected": expected.get(key), "found": found.get(key)}
                    differences += [Difference(table=table, key=key, **pair)]
        return differences


async def fold(connection: Connection, archives: Path | None = None) -> Folded:
    """Fold every stream. A cue also folds its fires, which lie in executions' streams.

    `archives` as for `rebuild`. Raises `Incomplete`, `Damaged`.
    """
    states: dict[tuple[str, str], tuple[int, Any]] = {}
    activities: list[Activity] = []
    ends: list[Outcomes] = []
    counted: list[tuple[str, Event]] = []
    async for stream_id, version, account_id, event in _events(connection, archives):
        category, key = category_of(stream_id), key_of(stream_id)
        held, before = states.get((category, key), (0, None))
        assert version == held + 1, f"{stream_id} jumps from version {held} to {version}"
        after = CATEGORIES[category].evolve(before, event)
        states[category, key] = (version, after)
        counted.append((account_id, event))
        if category == executions.CATEGORY and (part := activity(before, after)):
            activities.append(part)
        if category == executions.CATEGORY and (ended := outcomes(before, after)):
            ends.append(ended)
        if isinstance(event, ExecutionScheduled):
            of_cue, cue = states[cues.CATEGORY, event.cue_id]
            states[cues.CATEGORY, event.cue_id] = (of_cue, cues.evolve(cue, event))
    rows: dict[str, dict[str, dict[str, Any]]] = {
        table: {} for table in (*(kind.table for kind in CATEGORIES.values()), *_COUNTERS)
    }
    for (category, key), (version, state) in states.items():
        kind = CATEGORIES[category]
        rows[kind.table][key] = _plain({**kind.row(state), "version": version})
    rows["usage"] = _keyed("usage", usage_rows(usage(counted)))
    rows["cue_activity"] = _keyed("cue_activity", activity_rows(activities))
    rows["outcome_counts"] = _keyed("outcome_counts", outcome_rows(ends))
    return Folded(rows=rows)


async def _events(
    connection: Connection, archives: Path | None
) -> AsyncIterator[tuple[str, int, str, Event]]:
    cursor = await connection.execute("select month from archived_months order by month")
    months = [row[0] for row in await cursor.fetchall()]
    if months and archives is None:
        raise Incomplete(f"{', '.join(f'{month:%Y-%m}' for month in months)} lie in archives")
    sources = [_archived(archives, month) for month in months] if archives else []
    archived = merge(*sources, key=itemgetter(0))
    waiting = next(archived, None)
    async for pos, event in _in_the_log(connection):
        while waiting is not None and waiting[0] < pos:
            yield waiting[1]
            waiting = next(archived, None)
        yield event
    while waiting is not None:
        yield waiting[1]
        waiting = next(archived, None)


def _archived(root: Path, month: date) -> Iterator[tuple[int, tuple[str, int, str, Event]]]:
    for line in lines_of(root, read_manifest(root, month)):
        row = decode(line, dict)
        event = decode_event(row["type"], row["schema_version"], row["data"])
        yield row["pos"], (row["stream_id"], row["version"], row["account_id"], event)


async def _in_the_log(
    connection: Connection,
) -> AsyncIterator[tuple[int, tuple[str, int, str, Event]]]:
    # `pos` is drawn while the stream's row is locked, so within a stream, and between a cue and
    # its fires, it follows the order in which they were decided.
    async with connection.cursor(name="fold") as cursor:
        await cursor.execute(
            "select pos, stream_id, version, account_id::text, type, schema_version, data::text"
            "  from events order by pos"
        )
        cursor.itersize = CHUNK
        async for pos, stream_id, version, account_id, event_type, schema, data in cursor:
            yield pos, (stream_id, version, account_id, decode_event(event_type, schema, data))


async def _rows_of(connection: Connection, table: str) -> dict[str, dict[str, Any]]:
    cursor = await connection.execute(f"select to_json(t)::text from {table} t")  # noqa: S608
    rows = [decode(row[0], dict) for row in await cursor.fetchall()]
    if table == "usage":  # a refused fire leaves a row that counts nothing
        rows = [row for row in rows if row["executions"]]
    if table in _COUNTERS:
        return _keyed(table, rows)
    kind = next(kind for kind in CATEGORIES.values() if kind.table == table)
    for row in rows:
        row["state"] = msgspec.convert(row["state"], kind.state_type, strict=False)
    return {row["id"]: _plain(row) for row in rows}


def _keyed(table: str, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    columns = _COUNTERS[table]
    plain = [_plain(row) for row in rows]
    return {":".join(str(row[column]) for column in columns): row for row in plain}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row in one spelling, whether it comes from a fold or from Postgres."""
    fields = cast("dict[str, Any]", decode(encode(row), dict))
    return {name: _instant(name, value) for name, value in fields.items()}


def _instant(name: str, value: Any) -> Any:
    is_time = name.endswith(("_at", "_run", "scheduled_for")) and isinstance(value, str)
    return msgspec.convert(value, datetime) if is_time else value
