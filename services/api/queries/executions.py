"""Executions as their users see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from libs.events.executions import Execution
from services.api.queries.pages import Filters, Listing, Page, Pages, Reads

_COLUMNS = "id::text as id, created_at, cue_name, state::text as state"
_LISTING = Listing("api_executions", _COLUMNS, instant="claimed_at")
_DECODER = msgspec.json.Decoder(Execution)


class ExecutionRow(NamedTuple):
    """An execution's state, and its cue's name."""

    execution: Execution
    cue_name: str


class Matches(NamedTuple):
    """A page of executions, the number of all matches and the earliest claim among them."""

    rows: list[ExecutionRow]
    total: int
    oldest_claimed_at: datetime | None


class Claimable(NamedTuple):
    """Which executions a worker wants: with this task, one of these, this agent; None is any."""

    task: str | None
    agent: str | None
    tasks: list[str] | None = None


async def find_execution(
    database: Reads, account_id: str, execution_id: str
) -> ExecutionRow | None:
    """Read one execution; None when the account has no such execution."""
    rows = await database.rows(
        f"select {_COLUMNS} from api_executions where account_id = %(account)s and id = %(id)s",  # noqa: S608 - our names
        {"account": account_id, "id": execution_id},
    )
    return _row(rows[0]) if rows else None


async def list_executions(pages: Pages, filters: Filters, page: Page) -> Matches:
    """Read a page of executions, newest first."""
    found = await pages.read(_LISTING, filters, page)
    return Matches([_row(row) for row in found.rows], found.counted.total, found.counted.earliest)


async def list_claimable(
    database: Reads, account_id: str, wanted: Claimable, limit: int
) -> list[ExecutionRow]:
    """Read what a worker may claim now, oldest first (contract §7)."""
    filters = _claimable(account_id, wanted)
    rows = await database.rows(
        f"select {_COLUMNS} from api_executions where {filters.sql}"  # noqa: S608 - our names
        " order by scheduled_for, id limit %(limit)s",
        {**filters.params, "limit": limit},
    )
    return [_row(row) for row in rows]


async def is_claimable(database: Reads, account_id: str, wanted: Claimable) -> bool:
    """Whether there is anything for a worker to claim now."""
    filters = _claimable(account_id, wanted)
    rows = await database.rows(
        f"select exists (select 1 from api_executions where {filters.sql}) as found",  # noqa: S608 - our names
        filters.params,
    )
    return bool(rows[0]["found"])


def _claimable(account_id: str, wanted: Claimable) -> Filters:
    filters = Filters(account_id)
    filters.add("claimable_at <= now()", {})
    filters.equal("task", wanted.task)
    if wanted.tasks is not None:
        filters.add("task = any(%(tasks)s::text[])", {"tasks": wanted.tasks})
    filters.equal("agent", wanted.agent)
    return filters


def _row(row: Mapping[str, Any]) -> ExecutionRow:
    return ExecutionRow(_DECODER.decode(row["state"]), row["cue_name"])
