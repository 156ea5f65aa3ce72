"""What the database holds at one instant: the log, and what the rows say is still to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from libs.events.base import Event, category_of
from libs.events.cues import (
    CueCreated,
    CueUpdated,
)
from libs.events.envelope import decode_event
from libs.events.execution_events import ExecutionScheduled
from libs.runtime.postgres import Connection, Database
from tests.e2e.canaries import PATTERN

E = TypeVar("E", bound=Event)

_EVENTS = """
select stream_id, version, account_id::text, type, schema_version, data::text
  from events order by stream_id, version
"""
_OVERDUE = """
select e.id::text || ' ' || e.status from executions e
 where least(e.delivery_due_at, e.outcome_due_at) < now()
"""
_UNSETTLED = """
select c.id || ' ' || e.status from cues c join executions e on e.id = c.settling_id
 where c.status = 'active' and e.status in ('success', 'failed', 'missed', 'outcome_timeout')
"""
_UNTOLD = """
select count(*) from events e, relay r where (e.xid, e.pos) > (r.xid, r.pos)
"""
_SEARCHED = ("events", "command_results", "cues", "executions", "alerts", "accounts", "workers")


@dataclass(frozen=True)
class Logged:
    """One event of the log, and where it stands."""

    version: int
    account_id: str
    event: Event


@dataclass(frozen=True)
class Snapshot:
    """One instant of the database.

    `overdue` are executions whose due time has passed, `unsettled` cues whose one run has ended,
    `untold` is how many events the relay has not published.
    """

    now: datetime
    streams: Mapping[str, Sequence[Logged]]
    usage: Mapping[tuple[str, date], int] = field(default_factory=dict)
    overdue: Sequence[str] = ()
    unsettled: Sequence[str] = ()
    untold: int = 0
    parked: Sequence[str] = ()
    leaks: Sequence[str] = ()

    def of_category(self, category: str) -> dict[str, list[Event]]:
        """Return the streams of one category: their events, in order."""
        return {
            stream: [logged.event for logged in events]
            for stream, events in self.streams.items()
            if category_of(stream) == category
        }

    def all(self, kind: type[E]) -> list[E]:
        """Return all events of one type."""
        return [
            logged.event
            for events in self.streams.values()
            for logged in events
            if isinstance(logged.event, kind)
        ]

    def most_attempts(self, cue_id: str) -> int:
        """Return the largest `retry.max_attempts` that a cue has ever had."""
        return max(
            logged.event.settings.retry.max_attempts
            for logged in self.streams[f"cue-{cue_id}"]
            if isinstance(logged.event, CueCreated | CueUpdated)
        )

    def fired(self) -> dict[str, list[ExecutionScheduled]]:
        """Return the executions that slots became, by cue."""
        fired: dict[str, list[ExecutionScheduled]] = {}
        for event in self.all(ExecutionScheduled):
            if event.triggered_by in ("scheduled", "catch_up"):
                fired.setdefault(event.cue_id, []).append(event)
        return fired


async def snapshot(database: Database) -> Snapshot:
    """Read everything in one transaction that sees one instant."""
    async with database.connection() as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read read only")
        streams: dict[str, list[Logged]] = {}
        for stream, version, account, kind, schema, data in await _all(connection, _EVENTS):
            event = decode_event(kind, schema, data)
            streams.setdefault(stream, []).append(Logged(version, account, event))
        usage = await _all(connection, "select account_id::text, period, executions from usage")
        return Snapshot(
            now=(await _all(connection, "select now()"))[0][0],
            streams=streams,
            usage={(account, period): count for account, period, count in usage if count},
            overdue=await _texts(connection, _OVERDUE),
            unsettled=await _texts(connection, _UNSETTLED),
            untold=(await _all(connection, _UNTOLD))[0][0],
            parked=await _texts(connection, "select subject || ': ' || error from parked_messages"),
            leaks=await _leaks(connection),
        )


async def _leaks(connection: Connection) -> list[str]:
    """Name the tables that hold a secret in the clear; what is sealed is only in `blobs`."""
    leaks = []
    for table in _SEARCHED:
        found = await _texts(
            connection,
            f"select '{table}: ' || left(t::text, 300) from {table} t where t::text ~ %s limit 3",
            PATTERN,
        )
        leaks += found
    in_blobs = "select 'blobs: ' || encode(sha256, 'hex') from blobs where encode(body, 'escape')"
    return leaks + await _texts(connection, in_blobs + " ~ %s limit 3", PATTERN)


async def _all(connection: Connection, sql: str, *params: Any) -> list[tuple[Any, ...]]:
    return await (await connection.execute(sql, params)).fetchall()


async def _texts(connection: Connection, sql: str, *params: Any) -> list[str]:
    return [row[0] for row in await _all(connection, sql, *params)]
