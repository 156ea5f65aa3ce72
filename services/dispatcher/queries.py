"""The dispatcher's reads: due executions and what delivering them needs; claimable ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from libs.events.base import Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.cues import (
    Cue,
)
from libs.events.envelope import decode, encode
from libs.events.execution_commands import ClaimNextExecution
from libs.events.executions import CATEGORY, Execution
from libs.events.log import PostgresUnit
from libs.events.quarantine import Batch
from libs.runtime.postgres import Database

_DUE = """
select e.id::text, e.version, e.state::text, e.cue_id, c.version, c.state::text
  from executions e
  left join cue_settings c on c.cue_id = e.cue_id and c.status <> 'deleted'
 where e.delivery_due_at <= now()
   and e.account_id <> all(%(saturated)s::uuid[]) and e.cue_id <> all(%(held)s::text[])
   and e.id <> all(%(without)s::uuid[])
 order by e.delivery_due_at limit %(limit)s
   for update of e skip locked
"""
_NEXT_IN = """
select extract(epoch from min(delivery_due_at) - clock_timestamp())::float8 as next_in
  from executions where delivery_due_at is not null and id <> all(%s::uuid[])
"""
_OLDEST_DUE = """
select extract(epoch from now() - min(delivery_due_at))::float8 as age
  from executions where delivery_due_at <= now()
"""
_SETTINGS = """
select cue_id, version, state::text from cue_settings
 where cue_id = any(%s::text[]) and status <> 'deleted'
"""
_CUE = """
select version, state::text from cue_settings
 where cue_id = %s and account_id = %s::uuid and status <> 'deleted'
"""
_SECRETS = """
select account_id::text, secret_sealed,
       case when previous_expires_at > now() then previous_sealed end
  from webhook_secrets where account_id = any(%s::uuid[])
"""
_HEARTBEATS = """
select account_id::text, worker_id, last_heartbeat_at
  from unnest(%s::uuid[], %s::text[]) wanted(account_id, worker_id)
  join workers using (account_id, worker_id)
"""
_CLAIMABLE = """
select g.number, e.id::text, e.version, e.state::text, e.cue_id, e.cue_version, e.cue::text
  from json_to_recordset(%s::json)
         as g(number int, account_id uuid, task text, tasks text[], agent text, wanted int)
 cross join lateral (
   select x.id, x.version, x.state, c.cue_id, c.version as cue_version, c.state as cue
     from executions x join cue_settings c on c.cue_id = x.cue_id and c.status <> 'deleted'
    where x.account_id = g.account_id and x.claimable_at <= now()
      and (g.task is null or x.task = g.task) and (g.tasks is null or x.task = any(g.tasks))
      and (g.agent is null or x.agent = g.agent)
    order by x.scheduled_for, x.id limit g.wanted
      for update of x skip locked
 ) e
 order by g.number
"""
_BEAT = """
insert into workers (account_id, worker_id, handlers, registered_at, last_heartbeat_at)
select account_id, worker_id, handlers, now(), now()
  from json_to_recordset(%s::json) as r(account_id uuid, worker_id text, handlers jsonb)
 order by account_id, worker_id
on conflict (account_id, worker_id) do update
   set last_heartbeat_at = excluded.last_heartbeat_at,
       handlers = coalesce(excluded.handlers, workers.handlers)
"""
_FORGET = """
delete from workers w using unnest(%s::uuid[], %s::text[]) gone(account_id, worker_id)
 where w.account_id = gone.account_id and w.worker_id = gone.worker_id
returning w.account_id::text, w.worker_id
"""
MOST_KNOWN_SETTINGS = 20_000
_KNOWN_SETTINGS: dict[tuple[str, int], CueSettings] = {}


class Filter(NamedTuple):
    """Which executions a worker wants; None is any."""

    account_id: str
    task: str | None
    tasks: tuple[str, ...] | None
    agent: str | None


class ClaimableExecution(NamedTuple):
    """An execution that can be claimed, and its cue's present settings."""

    key: str
    settings: CueSettings


class DueExecution(Value):
    """An execution that is due, and its cue's present settings; None if the cue is deleted."""

    execution: Execution
    settings: CueSettings | None


class SealedSecrets(Value):
    """An account's webhook secret, and the previous one while both sign."""

    current: bytes
    previous: bytes | None


async def take_due(
    unit: PostgresUnit, batch: Batch, *, saturated: Sequence[str], held: Sequence[str]
) -> list[DueExecution]:
    """Lock due executions that nobody else holds, oldest first, passing over those without room."""
    passed_over = {"without": batch.without, "saturated": list(saturated), "held": list(held)}
    cursor = await unit.connection.execute(_DUE, {"limit": batch.limit, **passed_over})
    rows = await cursor.fetchall()
    batch.taken += [row[0] for row in rows]
    found = []
    for key, version, state, cue_id, cue_version, cue in rows:
        execution: Execution = decode(state, Execution)
        unit.hold(CATEGORY, key, version, execution)
        settings = _settings(cue_id, cue_version, cue) if cue is not None else None
        found.append(DueExecution(execution=execution, settings=settings))
    return found


async def next_in(database: Database, without: Sequence[str]) -> float | None:
    """Seconds until the nearest execution is due, but for some; None when none is."""
    rows = await database.rows(_NEXT_IN, [without])
    return rows[0]["next_in"] if rows else None


async def oldest_due(database: Database) -> float | None:
    """Seconds since the oldest due execution is due; None when none is."""
    rows = await database.rows(_OLDEST_DUE)
    return rows[0]["age"] if rows else None


async def settings_of(unit: PostgresUnit, cue_ids: Collection[str]) -> dict[str, CueSettings]:
    """Read the present settings of cues that are not deleted."""
    cursor = await unit.connection.execute(_SETTINGS, [sorted(cue_ids)])
    return {
        cue_id: _settings(cue_id, version, state)
        for cue_id, version, state in await cursor.fetchall()
    }


async def cue_of(unit: PostgresUnit, cue_id: str, account_id: str) -> CueSettings | None:
    """Read the present settings of an account's cue; None if there is none, or it is deleted."""
    cursor = await unit.connection.execute(_CUE, [cue_id, account_id])
    row = await cursor.fetchone()
    return _settings(cue_id, row[0], row[1]) if row else None


async def secrets_of(unit: PostgresUnit, accounts: Collection[str]) -> dict[str, SealedSecrets]:
    """Read the sealed webhook secrets of accounts, as they are now."""
    cursor = await unit.connection.execute(_SECRETS, [sorted(accounts)])
    return {
        account: SealedSecrets(current=current, previous=previous)
        for account, current, previous in await cursor.fetchall()
    }


async def heartbeats_of(
    unit: PostgresUnit, workers: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], datetime]:
    """Read when each (account, worker) was last seen."""
    accounts, ids = [account for account, _ in workers], [worker for _, worker in workers]
    cursor = await unit.connection.execute(_HEARTBEATS, [accounts, ids])
    return {(account, worker): beat for account, worker, beat in await cursor.fetchall()}


def filter_of(command: ClaimNextExecution) -> Filter:
    """Tell which executions a command is about."""
    return Filter(command.account_id, command.task, command.tasks, command.agent)


async def claimable(
    unit: PostgresUnit, commands: Sequence[ClaimNextExecution]
) -> dict[Filter, list[ClaimableExecution]]:
    """Lock the oldest claimable executions: for each filter as many as it has commands."""
    groups = Counter(filter_of(command) for command in commands)
    filters = list(groups)
    rows = [
        {"number": number, "wanted": count, **wanted._asdict()}
        for number, (wanted, count) in enumerate(groups.items())
    ]
    cursor = await unit.connection.execute(_CLAIMABLE, [encode(rows).decode()])
    found: dict[Filter, list[ClaimableExecution]] = {wanted: [] for wanted in filters}
    for number, key, version, state, *cue in await cursor.fetchall():
        unit.hold(CATEGORY, key, version, decode(state, Execution))
        found[filters[number]].append(ClaimableExecution(key, _settings(*cue)))
    return found


async def beat(unit: PostgresUnit, rows: Sequence[Mapping[str, object]]) -> None:
    """Register workers, or note that they live: rows of account_id, worker_id and handlers."""
    await unit.connection.execute(_BEAT, [encode(rows).decode()])


async def forget(unit: PostgresUnit, workers: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Forget workers, each by account and id; give those that were known."""
    ordered = sorted(workers)
    cursor = await unit.connection.execute(
        _FORGET, [[account for account, _ in ordered], [worker for _, worker in ordered]]
    )
    return {(account, worker) for account, worker in await cursor.fetchall()}


def _settings(cue_id: str, version: int, state: str) -> CueSettings:
    # A fire moves the cue's row but not its version, so its settings are decoded once.
    known = _KNOWN_SETTINGS.get((cue_id, version))
    if known is None:
        if len(_KNOWN_SETTINGS) >= MOST_KNOWN_SETTINGS:
            _KNOWN_SETTINGS.clear()
        known = decode(state, Cue).facts.settings
        _KNOWN_SETTINGS[cue_id, version] = known
    return known
