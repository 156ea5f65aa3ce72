"""Executions: list, get, replay (contract §2 nr 7, 8, 11)."""

from __future__ import annotations

from starlette.responses import Response

from libs.events.answers import ExecutionAnswer
from libs.events.cues import ReplayExecution
from libs.runtime.ids import new_uuid
from services.api.errors import ApiError
from services.api.queries.executions import list_executions
from services.api.queries.pages import Filters, Page
from services.api.routes.call import Call
from services.api.routes.execution_models import ListExecutionsQuery
from services.api.routes.execution_wire import (
    ExecutionListWire,
    ExecutionWire,
    execution_wire,
    head_of,
    refs_of,
)
from services.api.routes.filters import one_of
from services.api.routes.finding import execution_id_of, execution_of
from services.api.routes.made_wire import ReplayWire, made_fields
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import NoBody, NoFields, NoQuery
from services.api.rules.ids import is_cue_id
from services.api.rules.timestamps import wire_time_or_none
from services.api.tables import blobs

STATUSES = (
    "pending",
    "delivering",
    "success",
    "retrying",
    "failed",
    "missed",
    "outcome_timeout",
    "retry_ready",
    "pending_outcome",
)
OUTCOME_STATES = (
    "reported_success",
    "reported_failure",
    "verified_success",
    "verification_failed",
    "verification_pending",
    "unknown",
)
TRIGGERS = ("scheduled", "catch_up", "manual_fire", "replay")

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
    filters = _filters(call.account_id, query)
    matches = await list_executions(store, filters, Page(query.limit, query.offset))
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
    query=NoQuery,
    answers={200: ExecutionWire},
    codes=("execution_not_found",),
)
async def get_execution(call: Call[NoBody, NoQuery]) -> Response:
    """Get an execution."""
    row = await execution_of(call)
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


def _filters(account_id: str, query: ListExecutionsQuery) -> Filters:
    if query.status is not None and query.status__in is not None:
        raise ApiError("conflicting_filters", "send either status or status__in")
    one_of("status", query.status, STATUSES)
    one_of("outcome_state", query.outcome_state, OUTCOME_STATES)
    one_of("triggered_by", query.triggered_by, TRIGGERS)
    filters = Filters(account_id)
    filters.equal("status", query.status)
    filters.equal("outcome_state", query.outcome_state)
    filters.equal("triggered_by", query.triggered_by)
    filters.equal("worker_id", query.worker_id)
    filters.equal("result_type", query.result_type)
    filters.equal("has_evidence", query.has_evidence)
    if query.cue_id is not None:
        # An id of another form has no executions; it need not travel to Postgres to say so.
        filters.equal("cue_id", query.cue_id if is_cue_id(query.cue_id) else "")
    if query.status__in is not None:
        filters.add("status = any(%(statuses)s)", {"statuses": _statuses(query.status__in)})
    if query.since is not None:
        filters.add("created_at >= %(since)s", {"since": query.since})
    if query.until is not None:
        filters.add("created_at <= %(until)s", {"until": query.until})
    return filters


def _statuses(text: str) -> list[str]:
    named = [name.strip() for name in text.split(",")]
    if not any(named):
        raise ApiError("invalid_status_in", "status__in needs at least one status")
    for name in named:
        one_of("status__in", name, STATUSES)
    return named
