"""A cue as it was at an instant (contract §16)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from services.api.queries.cues import CueRow
from services.api.queries.executions import ExecutionRow, Matches
from services.api.queries.history import cue_as_of
from services.api.routes.call import Call
from services.api.routes.cue_models import CueQuery
from services.api.routes.finding import cue_id_of, no_cue
from services.api.routes.shapes import NoBody


class Past(NamedTuple):
    """A cue, and a page of its executions, newest first."""

    row: CueRow
    matches: Matches


async def cue_then(call: Call[NoBody, CueQuery], at: datetime) -> Past:
    """Read a cue and its executions as they were. Raises ApiError."""
    past = await cue_as_of(call.ports.store, call.account_id, cue_id_of(call), at)
    if past is None:
        raise no_cue()
    first, limit = call.query.execution_offset, call.query.execution_limit
    newest = sorted(past.executions, key=lambda e: (e.facts.created_at, e.facts.id), reverse=True)
    name = past.cue.facts.settings.name
    page = [ExecutionRow(each, name) for each in newest[first : first + limit]]
    row = CueRow(past.cue, past.version, past.run_count, past.last_run)
    return Past(row, Matches(page, len(newest), None))
