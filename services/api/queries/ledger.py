"""The executions that a cue's slots made (contract §16)."""

from __future__ import annotations

from datetime import datetime

from services.api.queries.pages import Reads
from services.api.rules.ledger import LIMIT, Ran


async def slots_that_ran(
    database: Reads, account_id: str, cue_id: str, since: datetime, until: datetime, most: int
) -> list[Ran]:
    """Read the executions of slots in [since, until], at most `most`, oldest first."""
    rows = await database.rows(
        "select id::text as id, scheduled_for, status,"
        "       state -> 'facts' ->> 'error_message' as error"
        "  from api_executions where account_id = %(account)s and cue_id = %(cue)s"
        "   and triggered_by in ('scheduled', 'catch_up')"
        "   and scheduled_for between %(since)s and %(until)s"
        " order by scheduled_for limit %(most)s",
        {"account": account_id, "cue": cue_id, "since": since, "until": until, "most": most},
    )
    return [
        Ran(row["scheduled_for"], row["id"], row["status"], (row["error"] or "").startswith(LIMIT))
        for row in rows
    ]
