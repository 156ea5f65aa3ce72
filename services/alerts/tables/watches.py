"""The watched cues: one row for each that can miss a window, due when it is next looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from libs.events.cue_settings import (
    Schedule,
)
from libs.events.envelope import encode
from libs.events.log import PostgresUnit
from libs.events.quarantine import Batch
from libs.runtime.postgres import Database
from services.alerts.decider.windows import Watch

_COLUMNS = "cue_id, account_id::text, cron, timezone, since, succeeded_at, due_at"
_OF_CUES = f"""
select {_COLUMNS} from cue_watches where cue_id = any(%s::text[]) order by cue_id for update
"""  # noqa: S608 - our names
_DUE = f"""
select {_COLUMNS} from cue_watches
 where due_at <= now() and cue_id <> all(%s::text[])
 order by due_at limit %s for update skip locked
"""  # noqa: S608 - our names
_NEXT_IN = """
select extract(epoch from min(due_at) - clock_timestamp())::float8 as next_in
  from cue_watches where due_at is not null and cue_id <> all(%s::text[])
"""
_PUT = """
insert into cue_watches as w (cue_id, account_id, cron, timezone, since, succeeded_at, due_at)
select cue_id, account_id, cron, timezone, since, succeeded_at, due_at
  from json_populate_recordset(null::cue_watches, %s::json) order by cue_id
on conflict (cue_id) do update
   set cron = excluded.cron, timezone = excluded.timezone, since = excluded.since,
       succeeded_at = excluded.succeeded_at, due_at = excluded.due_at
"""
_LOOK_AGAIN = """
update cue_watches w set due_at = now()
  from (select cue_id from cue_watches where cue_id = any(%s::text[]) order by cue_id for update) o
 where w.cue_id = o.cue_id
"""
_LOOK_AFTER_ACKNOWLEDGING = """
update cue_watches w set due_at = now()
  from (select x.cue_id from alerts a join cue_watches x using (cue_id)
         where a.id = any(%s::uuid[]) and a.kind = 'missed_window'
         order by x.cue_id for update of x) o
 where w.cue_id = o.cue_id
"""


async def watches_of(unit: PostgresUnit, cue_ids: Collection[str]) -> dict[str, Watch]:
    """Read and lock the watches of these cues; those without one are left out."""
    cursor = await unit.connection.execute(_OF_CUES, [sorted(cue_ids)])
    return {watch.cue_id: watch for watch in map(_watch, await cursor.fetchall())}


async def take_due(unit: PostgresUnit, batch: Batch) -> list[Watch]:
    """Lock watches that are due and that nobody else holds, oldest first."""
    cursor = await unit.connection.execute(_DUE, [batch.without, batch.limit])
    rows = await cursor.fetchall()
    batch.taken += [row[0] for row in rows]
    return [_watch(row) for row in rows]


async def next_in(database: Database, without: Sequence[str]) -> float | None:
    """Seconds until the nearest watch is due, but for some; None when none is."""
    rows = await database.rows(_NEXT_IN, [without])
    return rows[0]["next_in"] if rows else None


async def put_watches(unit: PostgresUnit, watches: Mapping[str, Watch | None]) -> None:
    """Write watches, by cue; a cue with None is watched no longer."""
    if kept := [_row(watch) for watch in watches.values() if watch is not None]:
        await unit.connection.execute(_PUT, [encode(kept).decode()])
    if ended := [cue_id for cue_id, watch in watches.items() if watch is None]:
        await unit.connection.execute(
            "delete from cue_watches where cue_id = any(%s::text[])", [ended]
        )


async def look_again(unit: PostgresUnit, cue_ids: Collection[str]) -> None:
    """Have cues looked at now: what counted as a success may have turned out to be none."""
    await unit.connection.execute(_LOOK_AGAIN, [sorted(cue_ids)])


async def look_after_acknowledging(unit: PostgresUnit, alert_ids: Collection[str]) -> None:
    """Have the cues of these missed windows looked at anew once their alerts are seen."""
    await unit.connection.execute(_LOOK_AFTER_ACKNOWLEDGING, [sorted(alert_ids)])


def _watch(row: tuple[Any, ...]) -> Watch:
    cue_id, account_id, cron, timezone, since, succeeded_at, due_at = row
    return Watch(
        cue_id=cue_id,
        account_id=account_id,
        schedule=Schedule(cron=cron, timezone=timezone),
        since=since,
        succeeded_at=succeeded_at,
        due_at=due_at,
    )


def _row(watch: Watch) -> dict[str, Any]:
    return {
        "cue_id": watch.cue_id,
        "account_id": watch.account_id,
        "cron": watch.schedule.cron,
        "timezone": watch.schedule.timezone,
        "since": watch.since,
        "succeeded_at": watch.succeeded_at,
        "due_at": watch.due_at,
    }
