"""Cues and executions as they were at an instant, folded from the log (contract §16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from libs.events import cues, execution_states
from libs.events.base import Event, category_of, key_of, stream_of
from libs.events.counters import activity
from libs.events.cues import (
    Cue,
    CueEvent,
)
from libs.events.envelope import decode_event
from libs.events.execution_events import ExecutionScheduled
from libs.events.executions import CATEGORY as EXECUTION
from libs.events.executions import Execution
from services.api.queries.pages import Reads


class PastCue(NamedTuple):
    """A cue as it was, with its executions in the order in which they were made."""

    cue: Cue
    version: int
    run_count: int
    last_run: datetime | None
    executions: list[Execution]


class PastExecution(NamedTuple):
    """An execution as it was, and its cue's name then."""

    execution: Execution
    cue_name: str


async def cue_events(database: Reads, account_id: str, cue_id: str) -> list[CueEvent]:
    """Read a cue's stream, oldest first; nothing when the account never had such a cue."""
    rows = await database.rows(
        _STREAMS + " order by version",
        {"account": account_id, "streams": [stream_of(cues.CATEGORY, cue_id)], "at": None},
    )
    return [event for event in map(_event, rows) if isinstance(event, CueEvent)]


async def cue_as_of(database: Reads, account_id: str, cue_id: str, at: datetime) -> PastCue | None:
    """Fold a cue and its executions up to an instant; None when it did not exist then."""
    stream = stream_of(cues.CATEGORY, cue_id)
    rows = await database.rows(
        _STREAMS_OF_CUE + " order by pos",
        {"account": account_id, "streams": [stream], "cue": cue_id, "at": at},
    )
    cue: Cue | None = None
    version, runs, last_run = 0, 0, None
    executions: dict[str, Execution] = {}
    for row in rows:
        event, key = _event(row), key_of(row["stream_id"])
        if isinstance(event, CueEvent):
            cue, version = cues.evolve(cue, event), row["version"]
            continue
        if isinstance(event, ExecutionScheduled):
            cue = cues.evolve(cue, event)
        before = executions.get(key)
        executions[key] = after = execution_states.evolve(before, event)
        if part := activity(before, after):
            runs += part.runs
            last_run = max(filter(None, (last_run, part.ended_at)), default=None)
    if cue is None or isinstance(cue, cues.DeletedCue):
        return None
    return PastCue(cue, version, runs, last_run, list(executions.values()))


async def execution_as_of(
    database: Reads, account_id: str, execution_id: str, at: datetime
) -> PastExecution | None:
    """Fold an execution up to an instant; None when it did not exist then."""
    execution: Execution | None = None
    rows = await _rows(database, account_id, [stream_of(EXECUTION, execution_id)], at)
    for row in rows:
        execution = execution_states.evolve(execution, _event(row))
    if execution is None:
        return None
    cue: Cue | None = None
    cue_stream = stream_of(cues.CATEGORY, execution.facts.cue_id)
    for row in await _rows(database, account_id, [cue_stream], at):
        event = _event(row)
        assert isinstance(event, CueEvent), f"{row['type']} in a cue's stream"
        cue = cues.evolve(cue, event)
    if cue is None or isinstance(cue, cues.DeletedCue):
        return None
    return PastExecution(execution, cue.facts.settings.name)


async def _rows(
    database: Reads, account_id: str, streams: Sequence[str], at: datetime
) -> list[Any]:
    return await database.rows(
        _STREAMS + " order by version", {"account": account_id, "streams": streams, "at": at}
    )


def _event(row: Any) -> Any:
    event: Event = decode_event(row["type"], row["schema_version"], row["data"])
    assert category_of(row["stream_id"])
    return event


_STREAMS = """
select stream_id, version, type, schema_version, data::text as data from api_events
 where account_id = %(account)s and stream_id = any(%(streams)s)
   and (%(at)s::timestamptz is null or recorded_at <= %(at)s)
"""
_STREAMS_OF_CUE = """
select pos, stream_id, version, type, schema_version, data::text as data from api_events
 where account_id = %(account)s and recorded_at <= %(at)s
   and stream_id in (
     select unnest(%(streams)s::text[])
      union all
     select 'execution-' || id from execution_states where cue_id = %(cue)s)
"""
