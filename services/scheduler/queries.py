"""The scheduler's reads: due cues, what an account may still do, executions that have ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from libs.events.accounts import Plan, allowance
from libs.events.base import key_of, stream_of
from libs.events.cues import (
    CATEGORY as CUE,
)
from libs.events.cues import (
    Cue,
)
from libs.events.envelope import decode
from libs.events.execution_rows import (
    TERMINAL,
)
from libs.events.executions import Execution
from libs.events.log import LASTING, PostgresUnit
from libs.events.quarantine import Batch
from libs.runtime.postgres import Database
from services.scheduler.decider.cues import Move
from services.scheduler.decider.limits import Account

_DUE = """
select id, version, state::text from cues
 where next_run <= now() and account_id <> all(%(crowding)s::uuid[])
   and id <> all(%(without)s::text[])
 order by next_run limit %(limit)s
   for update skip locked
"""
_NEXT_IN = """
select extract(epoch from min(next_run) - clock_timestamp())::float8 as next_in
  from cues where next_run is not null and id <> all(%s::text[])
"""
_NOTE_LOOK = """
insert into poller (last_run, cues_last_cycle, cycle_duration_ms) values (now(), %s, %s)
on conflict (only_row) do update
   set last_run = excluded.last_run, cues_last_cycle = excluded.cues_last_cycle,
       cycle_duration_ms = excluded.cycle_duration_ms
"""
_LOCK_ACCOUNTS = """
select pg_advisory_xact_lock(hashtextextended(account, 11))
  from (select account from unnest(%s::text[]) account order by account) accounts
"""
_TAKEN_NAMES = """
select c.account_id::text, c.name, c.id
  from unnest(%(accounts)s::uuid[], %(names)s::text[]) wanted(account_id, name)
  join cues c on c.account_id = wanted.account_id and c.name = wanted.name
 where c.status <> 'deleted'
"""
_ACTIVE_CUES = """
select account_id::text, count(*) from cues
 where account_id = any(%s::uuid[]) and status = 'active' group by account_id
"""
_USAGE = """
insert into usage as u (account_id, period, executions)
select account_id, date_trunc('month', now())::date, 0
  from account_plans where account_id = any(%s::uuid[]) order by account_id
on conflict (account_id, period) do update set executions = u.executions
returning u.account_id::text, u.executions, u.grace_started_at,
          (select plan from account_plans p where p.account_id = u.account_id),
          (select limits from account_plans p where p.account_id = u.account_id)
"""
_PLANS = """
select account_id::text, plan, limits from account_plans where account_id = any(%s::uuid[])
   for key share
"""
_PAUSABLE = """
select c.id, e.state::text as state
  from execution_states e join cues c on c.id = e.cue_id
 where e.id = any(%s::uuid[]) and c.status = 'active'
   and (c.state->'facts'->'settings'->'on_failure'->>'pause')::boolean
"""
_MOVES = """
select stream_id, recorded_at, meta->>'correlation_id' from events
 where stream_id = any(%s) and month = %s and type in ('CuePaused', 'CueResumed')
"""
_ENDED = """
(select c.id, e.state::text as state
   from cues c join execution_states e on e.id = c.settling_id
  where c.status = 'active' and e.status = any(%(terminal)s::text[]) limit 500)
 union
select c.id, e.state::text
  from cues c join execution_states e on e.id = c.settling_id
 where c.settling_id = any(%(hinted)s::uuid[]) and e.status = any(%(terminal)s::text[])
"""
# In commit order, so that Postgres goes along the index however little it knows of the rows.
_WAITING = """
select (select extract(epoch from now() - min(next_run))::float8
          from cues where next_run <= now()) as cues_due_age,
       untold.events as untold_events,
       extract(epoch from now() - untold.since)::float8 as untold_age,
       (select count(*) from parked_messages) as parked
  from relay r cross join lateral (
    select count(*) as events, min(recorded_at) as since from (
      select recorded_at from events e where (e.xid, e.pos) > (r.xid, r.pos)
       order by e.xid, e.pos limit 10000) first) untold
"""


class Waiting(NamedTuple):
    """What waits: ages in seconds, None when nothing does; at most 10,000 events are counted."""

    cues_due_age: float | None
    untold_events: int
    untold_age: float | None
    parked: int


async def waiting(database: Database) -> Waiting:
    """Read what waits for the scheduler and for the relay, and what was put aside."""
    rows = await database.rows(_WAITING)
    return Waiting(**rows[0])


async def take_due(unit: PostgresUnit, batch: Batch, crowding: Sequence[str]) -> list[str]:
    """Lock cues that are due and that nobody else holds; give their ids.

    Accounts in `crowding` are passed over.
    """
    cursor = await unit.connection.execute(
        _DUE, {"limit": batch.limit, "without": batch.without, "crowding": list(crowding)}
    )
    rows = await cursor.fetchall()
    batch.taken += [row[0] for row in rows]
    ids = []
    for cue_id, version, state in rows:
        held: Cue = decode(state, Cue)
        unit.hold("cue", cue_id, version, held)
        ids.append(cue_id)
    return ids


async def next_in(database: Database, without: Sequence[str]) -> float | None:
    """Seconds until the nearest cue is due, but for some; None when none is."""
    rows = await database.rows(_NEXT_IN, [without])
    return rows[0]["next_in"] if rows else None


async def note_look(database: Database, cues: int, milliseconds: int) -> None:
    """Leave a trace of a look at the due cues, for the health page."""
    await database.execute(_NOTE_LOOK, [cues, milliseconds])


async def taken_names(
    unit: PostgresUnit, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Find which (account, name) pairs belong to a cue already.

    A cue that takes the name meanwhile makes this transaction a `Conflict`, by the unique index.
    """
    cursor = await unit.connection.execute(
        _TAKEN_NAMES,
        {"accounts": [account for account, _ in wanted], "names": [name for _, name in wanted]},
    )
    return {(account, name): cue_id for account, name, cue_id in await cursor.fetchall()}


async def allowances(unit: PostgresUnit, accounts: Collection[str]) -> dict[str, Plan]:
    """Read what open accounts may do; those that are gone are left out.

    None of them is erased before this transaction ends.
    """
    cursor = await unit.connection.execute(_PLANS, [list(accounts)])
    return {account: allowance(*allowed) for account, *allowed in await cursor.fetchall()}


async def active_cues(unit: PostgresUnit, allowances: Mapping[str, Plan]) -> dict[str, Account]:
    """Count active cues, account by account, under a lock."""
    accounts = sorted(allowances)
    await unit.connection.execute(_LOCK_ACCOUNTS, [accounts])
    cursor = await unit.connection.execute(_ACTIVE_CUES, [accounts])
    counts: dict[str, int] = dict(await cursor.fetchall())
    return {
        account: Account(plan=plan, active_cues=counts.get(account, 0))
        for account, plan in allowances.items()
    }


async def usage(unit: PostgresUnit, accounts: Collection[str]) -> dict[str, Account]:
    """Read and lock this month's usage, by account."""
    cursor = await unit.connection.execute(_USAGE, [list(accounts)])
    return {
        account: Account(
            plan=allowance(plan, limits), executions=executions, grace_started_at=grace
        )
        for account, executions, grace, plan, limits in await cursor.fetchall()
    }


async def ended(database: Database, hinted: Collection[str]) -> dict[str, Execution]:
    """Find cues whose one scheduled execution has ended: the active ones, and those hinted.

    An ended execution stays as it is but for a late outcome, which is hinted again.
    """
    rows = await database.rows(_ENDED, {"terminal": list(TERMINAL), "hinted": list(hinted)})
    return {row["id"]: decode(row["state"], Execution) for row in rows}


async def pausable(database: Database, hinted: Sequence[str]) -> list[tuple[str, Execution]]:
    """Find executions of active cues that want to be paused on failure, among those hinted."""
    rows = await database.rows(_PAUSABLE, [list(hinted)])
    return [(row["id"], decode(row["state"], Execution)) for row in rows]


async def moves(unit: PostgresUnit, cue_ids: Collection[str]) -> dict[str, list[Move]]:
    """Read when these cues, which are locked, were paused and resumed, and for what."""
    streams = [stream_of(CUE, cue_id) for cue_id in cue_ids]
    cursor = await unit.connection.execute(_MOVES, [streams, LASTING])
    found: dict[str, list[Move]] = {cue_id: [] for cue_id in cue_ids}
    for stream_id, at, cause in await cursor.fetchall():
        found[key_of(stream_id)].append(Move(at=at, cause=cause))
    return found
