"""The runs of the service's own cue, and the cue as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from libs.events.cues import (
    Cue,
)
from libs.events.envelope import decode
from services.api.queries.pages import Reads
from services.api.rules.canary import ACCOUNT_ID, CUE_ID
from services.api.rules.uptime import Run

AT_ONCE = 5_000

_RUNS = """
select scheduled_for as due_at, created_at as fired_at,
       (state #>> '{facts,delivered_at}')::timestamptz as delivered_at,
       outcome_state = 'reported_success' as reported,
       status in ('failed', 'missed', 'outcome_timeout') or outcome_state is not null as ended
  from api_executions
 where cue_id = %(cue)s and account_id = %(account)s and created_at > %(after)s
   and triggered_by in ('scheduled', 'catch_up')
 order by created_at, id limit %(most)s
"""
_CUE = "select state::text as state from cue_settings where cue_id = %(cue)s"


async def read_runs(database: Reads, after: datetime) -> list[Run]:
    """Read the runs that were fired after an instant, oldest first, at most `AT_ONCE`."""
    rows = await database.rows(
        _RUNS, {"cue": CUE_ID, "account": ACCOUNT_ID, "after": after, "most": AT_ONCE}
    )
    return [
        Run(**{**row, "reported": row["reported"] is True, "ended": row["ended"]}) for row in rows
    ]


async def read_cue(database: Reads) -> Cue | None:
    """Read the cue as it is, a deleted one too; None before it was made."""
    rows: list[dict[str, Any]] = await database.rows(_CUE, {"cue": CUE_ID})
    return decode(rows[0]["state"], Cue) if rows else None
