"""Cues as their users see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from libs.events.base import stream_of
from libs.events.cues import (
    CATEGORY,
    Cue,
    CueEvent,
    evolve,
)
from libs.events.envelope import decode_event
from services.api.queries.pages import Filters, Listing, Page, Pages, Reads

_COLUMNS = "id, version, state::text as state, run_count, last_run"
_LISTING = Listing("api_cues", _COLUMNS + ", created_at")
_DECODER = msgspec.json.Decoder(Cue)


_BY_ID = """
select a.n, c.version, c.state::text as state, c.run_count, c.last_run
  from api_cues c join json_to_recordset(%s::json) as a(n int, account uuid, id text)
    on c.id = a.id and c.account_id = a.account
"""


class CueRow(NamedTuple):
    """A cue's state, its version, and what its executions have added up to."""

    cue: Cue
    version: int
    run_count: int
    last_run: datetime | None


async def find_cue(database: Reads, account_id: str, cue_id: str) -> CueRow | None:
    """Read one cue; None when the account has no such cue."""
    rows = await database.each(_BY_ID, {"account": account_id, "id": cue_id})
    return _row(rows[0]) if rows else None


async def list_cues(
    pages: Pages, account_id: str, status: str | None, page: Page
) -> tuple[int, list[CueRow]]:
    """Read a page of cues, newest first; give the number of all matches first."""
    filters = Filters(account_id)
    filters.equal("status", status)
    found = await pages.read(_LISTING, filters, page)
    return found.counted.total, [_row(row) for row in found.rows]


async def has_active_worker(database: Reads, account_id: str, stale_seconds: int) -> bool:
    """Whether a worker of the account has sent a heartbeat lately (contract §4, `active`)."""
    rows = await database.rows(
        "select exists (select 1 from api_workers where account_id = %(account)s"
        " and last_heartbeat_at > now() - %(stale)s * interval '1 second') as found",
        {"account": account_id, "stale": stale_seconds},
    )
    return bool(rows[0]["found"])


async def surplus_cues(database: Reads, account_id: str, limit: int) -> list[str]:
    """Name the active cues beyond a limit: the newest ones."""
    rows = await database.rows(
        "select id from api_cues where account_id = %(account)s and status = 'active'"
        " order by created_at, id offset %(limit)s",
        {"account": account_id, "limit": limit},
    )
    return [row["id"] for row in reversed(rows)]


def _row(row: Mapping[str, Any]) -> CueRow:
    return CueRow(_DECODER.decode(row["state"]), row["version"], row["run_count"], row["last_run"])


async def cue_at_version(
    database: Reads, account_id: str, cue_id: str, version: int
) -> CueRow | None:
    """Fold a cue from the log up to a version: as it was answered then, even if it is gone now.

    What its executions have added up to is as it is today.
    """
    events = await database.rows(
        "select type, schema_version, data::text as data from api_events"
        " where stream_id = %(stream)s and account_id = %(account)s and version <= %(version)s"
        " order by version",
        {"stream": stream_of(CATEGORY, cue_id), "account": account_id, "version": version},
    )
    cue: Cue | None = None
    for event in events:
        happened = decode_event(event["type"], event["schema_version"], event["data"])
        assert isinstance(happened, CueEvent), f"{event['type']} in a cue's stream"
        cue = evolve(cue, happened)
    if cue is None:
        return None
    today = await find_cue(database, account_id, cue_id)
    if today is None:
        return CueRow(cue, version, 0, None)
    # Fires stand in the streams of their executions.
    facts = replace(cue.facts, fired_count=today.cue.facts.fired_count)
    return CueRow(replace(cue, facts=facts), version, today.run_count, today.last_run)
