"""The alerts service's reads: what has happened to the cues in question."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.events.base import Value
from libs.events.cues import Cue, CueSettings
from libs.events.envelope import decode
from libs.events.executions import Execution
from libs.events.log import PostgresUnit

HISTORY = 200

_CHANGED = """
select e.state::text, c.state::text
  from execution_states e join cue_settings c on c.cue_id = e.cue_id
 where e.id = any(%s::uuid[]) and c.status <> 'deleted'
"""
_HISTORY = """
select h.state::text
  from unnest(%(cues)s::text[]) wanted(cue_id)
 cross join lateral (
   select cue_id, created_at, id, state from execution_states x
    where x.cue_id = wanted.cue_id order by x.created_at desc, x.id desc limit %(limit)s
 ) h
 order by h.created_at desc, h.id desc
"""
_LOCK_CUES = """
select pg_advisory_xact_lock(hashtextextended(cue_id, 13))
  from (select cue_id from unnest(%s::text[]) cue_id order by cue_id) cues
"""
_EPISODES = """
select cue_id, kind, episode, acknowledged_at is not null from alerts
 where cue_id = any(%s::text[])
"""


class Changed(Value):
    """An execution that has changed, and its cue's settings."""

    execution: Execution
    settings: CueSettings


async def changed(unit: PostgresUnit, execution_ids: Collection[str]) -> list[Changed]:
    """Read executions and their cues' settings; those of deleted cues are left out."""
    cursor = await unit.connection.execute(_CHANGED, [sorted(execution_ids)])
    return [
        Changed(execution=decode(state, Execution), settings=decode(cue, Cue).facts.settings)
        for state, cue in await cursor.fetchall()
    ]


async def history(unit: PostgresUnit, cue_ids: Collection[str]) -> dict[str, list[Execution]]:
    """Read the latest executions of cues, newest first; cue by cue, under a lock."""
    await unit.connection.execute(_LOCK_CUES, [sorted(cue_ids)])
    cursor = await unit.connection.execute(_HISTORY, {"cues": sorted(cue_ids), "limit": HISTORY})
    found: dict[str, list[Execution]] = {cue_id: [] for cue_id in cue_ids}
    for (state,) in await cursor.fetchall():
        execution: Any = decode(state, Execution)
        found[execution.facts.cue_id].append(execution)
    return found


async def episodes(
    unit: PostgresUnit, cue_ids: Collection[str]
) -> dict[tuple[str, str, str], bool]:
    """Read which (cue, kind, episode) are alerts already, and whether they are acknowledged."""
    cursor = await unit.connection.execute(_EPISODES, [sorted(cue_ids)])
    return {(cue, kind, episode): seen for cue, kind, episode, seen in await cursor.fetchall()}
