"""The log on Postgres: load under locks, append, project and answer in one transaction.

Every statement takes its rows as one JSON document (docs/decisions/0005): a seventh of the
client's work of array parameters, and Postgres knows the columns from the table itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

from libs.events.base import Event
from libs.events.counters import activity_rows, outcome_rows, usage, usage_rows
from libs.events.envelope import Meta, Recorded, Reply, decode, encode, schema_version
from libs.events.streams import CATEGORIES
from libs.events.tracing import appended
from libs.events.unit import StoredResult, Unit
from libs.runtime.clock import unix_ns
from libs.runtime.postgres import Connection, Database, Statement

LASTING = date(1970, 1, 1)


class LogUnit(Protocol):
    """A unit of work, on any form of the log."""

    now: datetime

    async def lock(self, category: str, keys: Iterable[str]) -> None:
        """Read and lock these streams. Raises `Conflict` when a lock cannot be had in time."""
        ...

    async def stored_results(
        self, command_ids: Sequence[str], keys: Sequence[tuple[str, str]]
    ) -> list[StoredResult]:
        """Find replies kept under these command ids, or (account, idempotency key) pairs."""
        ...

    def state(self, category: str, key: str) -> Any:
        """Give the state with all that this transaction has recorded, or None if there is none."""
        ...

    def version(self, category: str, key: str) -> int:
        """Give the stream's version; 0 before its first event."""
        ...

    def record(
        self, category: str, key: str, account_id: str, events: Sequence[Event], meta: Meta
    ) -> None:
        """Append `events` to a stream that is locked, or that is new, and evolve its state."""
        ...

    def answer(self, result: StoredResult) -> None:
        """Keep a command's reply, so that the same command gets it again."""
        ...


UnitT_co = TypeVar("UnitT_co", bound=LogUnit, covariant=True)


class Log(Protocol[UnitT_co]):
    """The port. Its forms are `PostgresLog` and `libs.events.memory.MemoryLog`."""

    def transaction(self) -> AbstractAsyncContextManager[UnitT_co]:
        """Open a unit of work; its events, rows and replies commit together when the block ends.

        Raises `Unavailable`, and `Conflict` when another transaction was first: decide again.
        """
        ...


class PostgresUnit(Unit):
    """A unit of work on one Postgres transaction."""

    def __init__(self, now: Any, connection: Connection) -> None:
        super().__init__(now)
        self.connection = connection

    async def lock(self, category: str, keys: Iterable[str]) -> None:
        """Read and lock these streams' rows, in id order; the ones that do not exist are left out.

        Raises `Conflict` when a lock cannot be had in time.
        """
        wanted = sorted({key for key in keys if self.version(category, key) == 0})
        if not wanted:
            return
        kind = CATEGORIES[category]
        cast = "text[]" if category == "cue" else "uuid[]"
        cursor = await self.connection.execute(
            f"select id::text, version, state::text from {kind.table}"  # noqa: S608 - our names
            f" where id = any(%s::{cast}) order by id for update",
            [wanted],
        )
        for key, version, state in await cursor.fetchall():
            self.hold(category, key, version, decode(state, kind.state_type))

    async def stored_results(
        self, command_ids: Sequence[str], keys: Sequence[tuple[str, str]]
    ) -> list[StoredResult]:
        """Find replies kept under these command ids, or (account, idempotency key) pairs.

        Keys are locked first, so that of two commands with one key the second sees the first. A key
        is free again after 24 hours (contract §1).
        """
        if keys:
            await self.connection.execute(
                "select pg_advisory_xact_lock(hashtextextended(k, 7)) from"
                " (select k from unnest(%s::text[]) k order by k) locks",
                [sorted({f"{account}:{key}" for account, key in keys})],
            )
        cursor = await self.connection.execute(
            _STORED_RESULTS,
            {
                "ids": list(command_ids),
                "accounts": [account for account, _ in keys],
                "keys": [key for _, key in keys],
            },
        )
        return [
            StoredResult(
                command_id=command_id,
                account_id=account_id,
                reply=decode(reply, Reply),
                idempotency_key=key,
                request_hash=request_hash,
            )
            for command_id, account_id, key, request_hash, reply in await cursor.fetchall()
        ]

    def writes(self) -> Statement | None:
        """Give the one statement that writes what was recorded; None if nothing was."""
        parts = list(self._writes())
        if not parts:
            return None
        # None reads what another writes. Postgres runs the parts of one statement last to first, so
        # a row gives up a name before a new one takes it.
        statement = ", ".join(f"w{number} as ({sql})" for number, (sql, _) in enumerate(parts))
        documents = [encode(rows).decode() for _, rows in parts]
        return Statement(f"with {statement} select", documents)

    def _writes(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        if self.recorded:
            yield _INSERT_EVENTS, [_event_row(item) for item in self.recorded]
        for category in self.changed_categories():
            table = CATEGORIES[category].table
            if rows := self.rows(category, born=True):
                yield _insert(table, tuple(rows[0])), rows
            if rows := self.rows(category, born=False):
                yield _update(table, tuple(rows[0])), rows
        if counts := usage((item.account_id, item.event) for item in self.recorded):
            yield _COUNT_USAGE, usage_rows(counts)
        if self.activity:
            yield _COUNT_ACTIVITY, activity_rows(self.activity)
        if self.outcomes:
            yield _COUNT_OUTCOMES, outcome_rows(self.outcomes)
        if self.results:
            yield _INSERT_RESULTS, [_result_row(result, self.now) for result in self.results]


class PostgresLog:
    """The log in its Postgres form."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresUnit]:
        """Open a unit of work; its events, rows and replies commit together when the block ends.

        Raises `Unavailable`, and `Conflict` when another transaction was first: decide again.
        """
        since = unix_ns()
        async with self.database.transaction(last=lambda: unit.writes()) as transaction:
            unit = PostgresUnit(transaction.now, transaction.connection)
            yield unit
        appended(unit.recorded, since)


async def insert_rows(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows, all with the columns of the first one, in one statement."""
    await connection.execute(_insert(table, tuple(rows[0])), [encode(rows).decode()])


def month_of(stream_id: str) -> date:
    """The partition of a stream: the UTC month in its UUIDv7, or `LASTING` if it has no end."""
    category, _, key = stream_id.partition("-")
    if category not in ("execution", "alert"):
        return LASTING
    born = datetime.fromtimestamp(int(key[:8] + key[9:13], 16) / 1000, UTC)
    return born.date().replace(day=1)


def _event_row(item: Recorded) -> dict[str, Any]:
    return {
        "id": item.id,
        "month": month_of(item.stream_id),
        "stream_id": item.stream_id,
        "version": item.version,
        "type": item.type,
        "schema_version": schema_version(item.type),
        "account_id": item.account_id,
        "data": item.event,
        "meta": item.meta,
        "recorded_at": item.event.at,
    }


def _result_row(result: StoredResult, now: Any) -> dict[str, Any]:
    return {
        "command_id": result.command_id,
        "account_id": result.account_id,
        "idempotency_key": result.idempotency_key,
        "request_hash": result.request_hash,
        "reply": result.reply,
        "created_at": now,
    }


# The outer query's snapshot is older than what `expired` deletes: so it looks at the age itself.
_STORED_RESULTS = """
with keys as (
  select account_id, key from unnest(%(accounts)s::uuid[], %(keys)s::text[]) k(account_id, key)
), expired as (
  delete from command_results r using keys k
   where r.account_id = k.account_id and r.idempotency_key = k.key
     and r.created_at <= now() - interval '24 hours'
)
select command_id::text, account_id::text, idempotency_key, request_hash, reply::text
  from command_results where command_id = any(%(ids)s::uuid[])
union all
select r.command_id::text, r.account_id::text, r.idempotency_key, r.request_hash, r.reply::text
  from keys k join command_results r on r.account_id = k.account_id and r.idempotency_key = k.key
 where r.created_at > now() - interval '24 hours'
"""


def _insert(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    return (
        f"insert into {table} ({names})"  # noqa: S608 - our names
        f" select {names} from json_populate_recordset(null::{table}, %s::json)"
    )


def _update(table: str, columns: tuple[str, ...]) -> str:
    sets = ", ".join(f"{name} = r.{name}" for name in columns if name != "id")
    return (
        f"update {table} t set {sets}"  # noqa: S608 - our names
        f" from json_populate_recordset(null::{table}, %s::json) r where t.id = r.id"
    )


_INSERT_EVENTS = _insert(
    "events",
    (
        "id",
        "month",
        "stream_id",
        "version",
        "type",
        "schema_version",
        "account_id",
        "data",
        "meta",
        "recorded_at",
    ),
)
_INSERT_RESULTS = _insert(
    "command_results",
    ("command_id", "account_id", "idempotency_key", "request_hash", "reply", "created_at"),
)
_COUNT_USAGE = (
    _insert("usage", ("account_id", "period", "executions", "grace_started_at"))
    + " on conflict (account_id, period) do update set"
    + " executions = usage.executions + excluded.executions,"
    + " grace_started_at = least(usage.grace_started_at, excluded.grace_started_at)"
)
_COUNT_OUTCOMES = (
    _insert("outcome_counts", ("account_id", "period", "succeeded", "failed", "unreported"))
    + " on conflict (account_id, period) do update set"
    + " succeeded = outcome_counts.succeeded + excluded.succeeded,"
    + " failed = outcome_counts.failed + excluded.failed,"
    + " unreported = outcome_counts.unreported + excluded.unreported"
)
_COUNT_ACTIVITY = (
    _insert("cue_activity", ("cue_id", "account_id", "run_count", "last_run"))
    + " on conflict (cue_id) do update set"
    + " run_count = cue_activity.run_count + excluded.run_count,"
    + " last_run = greatest(cue_activity.last_run, excluded.last_run)"
)
