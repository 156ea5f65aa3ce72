"""A log with executions of months that are long over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from libs.events.cues import (
    CueCreated,
)
from libs.events.execution_events import AttemptStarted, AttemptSucceeded
from libs.events.log import PostgresLog
from libs.events.partitions import partition_statements
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from tests.libs.events.streams_of import META, declare, new_cue, new_execution

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)


def id_at(instant: datetime) -> str:
    """A UUIDv7 made at that time."""
    milliseconds = f"{int(instant.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}{new_uuid()[13:]}"


async def live(
    database: Database, months: Sequence[date] = (APRIL, MAY), count: int = 20
) -> CueCreated:
    """Fire a new cue so often in each month, and deliver each; the relay has told of all of it."""
    log, cue = PostgresLog(database), new_cue()
    for month in months:
        for statement in partition_statements(month):
            await database.execute(statement)
    async with log.transaction() as unit:
        declare(unit, cue)
    for month in months:
        begin = datetime(month.year, month.month, 1, tzinfo=UTC)
        for number in range(count):
            await deliver(log, cue, begin + timedelta(hours=number))
    await database.execute("update relay set xid = pg_current_xact_id(), pos = 1000000")
    return cue


async def deliver(log: PostgresLog, cue: CueCreated, at: datetime, *, ended: bool = True) -> str:
    """Let one execution of that time be made, and delivered if it has ended; give its id."""
    run = replace(new_execution(cue, at), execution_id=id_at(at), at=at)
    begun = AttemptStarted(at=at, epoch=1, lease_until=at + timedelta(minutes=1))
    sent = AttemptSucceeded(at=at, epoch=1, http_status=200)
    async with log.transaction() as unit:
        await unit.lock("cue", [cue.cue_id])
        events = [run, begun, sent] if ended else [run]
        unit.record("execution", run.execution_id, cue.account_id, events, META)
    return run.execution_id
