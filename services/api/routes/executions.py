"""Executions: list, get, replay (contract §2 nr 7, 8, 11)."""

from __future__ import annotations

from starlette.responses import Response

from libs.events.answers import ExecutionAnswer
from libs.events.cues import (
    ReplayExecution,
)
from libs.runtime.ids import new_uuid
from services.api.queries.executions import ExecutionRow, list_executions
from services.api.queries.history import execution_as_of
from services.api.queries.pages import Page
from services.api.routes.call import Call
from services.api.routes.execution_filters import execution_filters
from services.api.routes.execution_models import ExecutionQuery, ListExecutionsQuery
from services.api.routes.execution_wire import (
    ExecutionListWire,
    ExecutionWire,
    execution_wire,
    head_of,
    refs_of,
)
from services.api.routes.finding import execution_id_of, execution_of, no_execution
from services.api.routes.made_wire import ReplayWire, made_fields
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import NoBody, NoFields, NoQuery
from services.api.rules.timestamps import wire_time_or_none
from services.api.tables import blobs

executions = Operations("Executions")


@executions.add(
    "GET",
    "/v1/executions",
    body=NoBody,
    query=ListExecutionsQuery,
    answers={200: ExecutionListWire},
    codes=("invalid_filter", "conflicting_filters", "invalid_status_in"),
)
async def get_executions(call: Call[NoBody, ListExecutionsQuery]) -> Response:
    """List executions, newest first."""
    query, store = call.query, call.ports.store
    filters = execution_filters(call.account_id, query)
    matches = await list_executions(call.ports.pages, filters, Page(query.limit, query.offset))
    needed = [ref for row in matches.rows for ref in refs_of(row.execution)]
    heads = [head_of(row.execution) for row in matches.rows]
    found = await blobs.fetch(store, call.account_id, needed, heads)
    return answer(
        ExecutionListWire(
            executions=[execution_wire(row, found) for row in matches.rows],
            total=matches.total,
            limit=query.limit,
            offset=query.offset,
            has_more=query.offset + len(matches.rows) < matches.total,
            oldest_claimed_at=wire_time_or_none(matches.oldest_claimed_at),
        )
    )


@executions.add(
    "GET",
    "/v1/executions/{execution_id}",
    body=NoBody,
    query=ExecutionQuery,
    answers={200: ExecutionWire},
    codes=("execution_not_found",),
)
async def get_execution(call: Call[NoBody, ExecutionQuery]) -> Response:
    """Get an execution, as it is or as it was."""
    row = await _row(call)
    needed, heads = refs_of(row.execution), [head_of(row.execution)]
    found = await blobs.fetch(call.ports.store, call.account_id, needed, heads)
    return answer(execution_wire(row, found))


@executions.add(
    "POST",
    "/v1/executions/{execution_id}/replay",
    body=NoFields,
    query=NoQuery,
    answers={200: ReplayWire},
    codes=("execution_not_found", "execution_in_flight", "execution_limit_exceeded"),
)
async def replay_execution(call: Call[NoFields, NoQuery]) -> Response:
    """Make a new execution from an ended one, with its payload."""
    command = ReplayExecution(
        account_id=call.account_id,
        replayed_id=execution_id_of(call),
        execution_id=new_uuid(),
    )
    made, _ = await call.ask(command, ExecutionAnswer)
    found = await blobs.fetch(call.ports.store, call.account_id, [made.payload.sha256])
    return answer(ReplayWire(**made_fields(made, found), replayed_from=command.replayed_id))


async def _row(call: Call[NoBody, ExecutionQuery]) -> ExecutionRow:
    as_of = call.query.as_of
    if as_of is None:
        return await execution_of(call)
    found = await execution_as_of(call.ports.store, call.account_id, execution_id_of(call), as_of)
    if found is None:
        raise no_execution()
    return ExecutionRow(*found)
