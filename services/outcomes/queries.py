"""The outcomes service's reads: executions whose outcome is due, and the mode that holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from libs.events.base import VerificationMode
from libs.events.envelope import decode
from libs.events.executions import CATEGORY, Execution
from libs.events.log import PostgresUnit
from libs.events.quarantine import Batch
from libs.runtime.postgres import Database

MOST_COUNTED = 20_000

_DUE = """
select e.id::text, e.version, e.state::text, coalesce(c.verification, 'none')
  from executions e left join cue_settings c on c.cue_id = e.cue_id and c.status <> 'deleted'
 where e.outcome_due_at <= now() and e.id <> all(%(without)s::uuid[])
 order by e.outcome_due_at limit %(limit)s
   for update of e skip locked
"""
_NEXT_IN = """
select extract(epoch from min(outcome_due_at) - clock_timestamp())::float8 as next_in
  from executions where outcome_due_at is not null and id <> all(%s::uuid[])
"""
# What is open has a due time of one kind or the other, so two partial indexes find it all.
_OPEN = """
select coalesce(sum(open.found) filter (where open.status = 'pending'), 0) as pending,
       coalesce(sum(open.found) filter (where open.status = 'delivering'), 0) as delivering,
       coalesce(sum(open.found) filter (where open.status = 'retrying'), 0) as retrying,
       coalesce(sum(open.found) filter (where open.status = 'success'), 0) as awaiting_outcome,
       (select extract(epoch from now() - min(outcome_due_at))::float8
          from executions where outcome_due_at <= now()) as due_age
  from (
    select status, count(*) as found from (
      select status from executions where delivery_due_at is not null
       order by delivery_due_at limit %(most)s) due group by status
    union all
    select 'success', count(*) from (
      select 1 from executions where outcome_due_at is not null and status = 'success'
       order by outcome_due_at limit %(most)s) awaited
  ) open
"""
_MODES = """
select c.cue_id, c.verification from cue_settings c
 where c.cue_id = any(%s::text[]) and c.status <> 'deleted'
"""


async def take_due(unit: PostgresUnit, batch: Batch) -> list[tuple[Execution, VerificationMode]]:
    """Lock executions whose outcome is due and that nobody else holds, oldest first."""
    cursor = await unit.connection.execute(_DUE, {"limit": batch.limit, "without": batch.without})
    rows = await cursor.fetchall()
    batch.taken += [row[0] for row in rows]
    found = []
    for key, version, state, mode in rows:
        execution: Execution = decode(state, Execution)
        unit.hold(CATEGORY, key, version, execution)
        found.append((execution, VerificationMode(mode)))
    return found


async def next_in(database: Database, without: Sequence[str]) -> float | None:
    """Seconds until the nearest outcome is due, but for some; None when none is."""
    rows: list[dict[str, Any]] = await database.rows(_NEXT_IN, [without])
    return rows[0]["next_in"] if rows else None


class Open(NamedTuple):
    """Open executions by state, and for how many seconds the oldest outcome is due, if one is."""

    pending: int
    delivering: int
    retrying: int
    awaiting_outcome: int
    due_age: float | None


async def read_open(database: Database) -> Open:
    """Count open executions, at most `MOST_COUNTED` that wait for each."""
    rows = await database.rows(_OPEN, {"most": MOST_COUNTED})
    return Open(**rows[0])


async def modes_of(unit: PostgresUnit, cue_ids: Collection[str]) -> dict[str, VerificationMode]:
    """Read the verification modes of cues that are not deleted."""
    cursor = await unit.connection.execute(_MODES, [sorted(cue_ids)])
    return {cue_id: VerificationMode(mode) for cue_id, mode in await cursor.fetchall()}
