"""Many executions made anew in one request (contract §16)."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from libs.events.answers import ExecutionAnswer
from libs.events.bus import Refused
from libs.events.cues import (
    ReplayExecution,
)
from libs.events.envelope import Idempotency
from libs.events.execution_rows import (
    status,
)
from libs.runtime.ids import new_uuid
from services.api.queries.executions import list_executions
from services.api.queries.pages import Page
from services.api.routes.call import Call
from services.api.routes.deciding import once
from services.api.routes.execution_filters import execution_filters
from services.api.routes.execution_models import ReplayManyBody
from services.api.routes.operation import Operations
from services.api.routes.shapes import NoQuery
from services.api.routes.wire import Wire

MOST = 1_000
AT_ONCE = 32
ENDED = ("success", "failed", "missed", "outcome_timeout")

replays = Operations("Executions")


class SkippedWire(Wire):
    """An execution that was not replayed; `reason` is a code."""

    execution_id: str
    reason: str


class ReplayedManyWire(Wire):
    """How many matched, of which at most 1,000 are looked at; the new executions' ids."""

    matched: int
    replayed: int
    skipped: list[SkippedWire]
    execution_ids: list[str]


@replays.add(
    "POST",
    "/v1/executions/replay",
    body=ReplayManyBody,
    query=NoQuery,
    answers={200: ReplayedManyWire},
    codes=("invalid_filter", "conflicting_filters", "invalid_status_in"),
)
async def replay_executions(call: Call[ReplayManyBody, NoQuery]) -> Response:
    """Make new executions from ended ones, the newest 1,000 that match; each as by itself."""
    return await once(call, lambda: _replay_all(call))


async def _replay_all(call: Call[ReplayManyBody, NoQuery]) -> ReplayedManyWire:
    filters = execution_filters(call.account_id, call.body)
    matches = await list_executions(call.ports.pages, filters, Page(MOST, 0))
    ids = [row.execution.facts.id for row in matches.rows]
    if call.body.dry_run:
        running = [r.execution.facts.id for r in matches.rows if status(r.execution) not in ENDED]
        refused = dict.fromkeys(running, "execution_in_flight")
        made: dict[str, str] = {}
        count = len(ids) - len(running)
    else:
        made, refused = await _replay(call, ids)
        count = len(made)
    return ReplayedManyWire(
        matched=matches.total,
        replayed=count,
        skipped=[SkippedWire(execution_id=i, reason=refused[i]) for i in ids if i in refused],
        execution_ids=[made[old] for old in ids if old in made],
    )


async def _replay(call: Call[Any, Any], ids: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Replay; gives the new ids, and the codes of the refusals, by the old ids."""
    made: dict[str, str] = {}
    refused: dict[str, str] = {}
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(old: str) -> None:
        command = ReplayExecution(
            account_id=call.account_id, replayed_id=old, execution_id=new_uuid()
        )
        async with at_once:
            try:
                answered, _ = await call.ask(command, ExecutionAnswer, once=_once(call, old))
            except Refused as error:
                refused[old] = error.rejection.code
            else:
                made[old] = answered.execution_id

    await asyncio.gather(*(one(old) for old in ids))
    return made, refused


def _once(call: Call[Any, Any], old: str) -> Idempotency | None:
    # One key for many commands: each has its own part of it.
    whole = call.idempotency()
    if whole is None:
        return None
    return Idempotency(key=f"{whole.key} {old}", request_hash=whole.request_hash)
