"""Worker mode: what can be claimed, claiming it, keeping it (contract §2 nr 12, 15, 16, §3)."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from libs.events.answers import ClaimAnswer, LeaseAnswer
from libs.events.bus import Refused
from libs.events.execution_commands import ClaimExecution, ClaimNextExecution, ExtendLease
from libs.runtime.clock import monotonic
from services.api.queries.executions import Claimable, ExecutionRow, is_claimable, list_claimable
from services.api.routes.call import Call
from services.api.routes.execution_models import (
    ClaimableQuery,
    ClaimBody,
    ClaimNextBody,
    HeartbeatBody,
)
from services.api.routes.finding import execution_id_of
from services.api.routes.intake import worker_header
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import NoBody, NoQuery
from services.api.routes.waiting import Hint
from services.api.routes.wire import EMPTY_OBJECT, AnyObject, Timestamp, Wire
from services.api.rules.timestamps import wire_time
from services.api.tables import blobs

LOOK_AGAIN_SECONDS = 1.0

claims = Operations("Worker mode")


class ClaimableItemWire(Wire):
    """An execution that a worker may claim; `attempt` is the number which the claim would get."""

    execution_id: str
    cue_id: str
    cue_name: str
    task: str | None
    scheduled_for: Timestamp
    payload: AnyObject
    attempt: int


class ClaimableWire(Wire):
    """Executions to claim, oldest first."""

    executions: list[ClaimableItemWire]


class ClaimWire(Wire):
    """The worker holds the execution until its lease ends.

    What is told of its cue is null only while the servers are being brought to this release.
    """

    claimed: bool
    execution_id: str
    worker_id: str
    lease_seconds: int
    lease_expires_at: Timestamp
    attempt: int
    payload: AnyObject
    cue_id: str | None
    cue_name: str | None
    scheduled_for: Timestamp | None


class LeaseWire(Wire):
    """The lease was extended."""

    execution_id: str
    acknowledged: bool
    lease_extended_until: Timestamp


@claims.add(
    "GET",
    "/v1/executions/claimable",
    body=NoBody,
    query=ClaimableQuery,
    answers={200: ClaimableWire},
)
async def get_claimable(call: Call[NoBody, ClaimableQuery]) -> Response:
    """List what a worker may claim now, oldest first."""
    query, store = call.query, call.ports.store
    wanted = Claimable(query.task, query.agent)
    rows = await list_claimable(store, call.account_id, wanted, query.limit)
    found = await blobs.fetch(
        store, call.account_id, [row.execution.facts.payload.sha256 for row in rows]
    )
    return answer(ClaimableWire(executions=[_item(row, found) for row in rows]))


@claims.add(
    "POST",
    "/v1/executions/claim",
    body=ClaimNextBody,
    query=NoQuery,
    answers={200: ClaimWire},
    codes=("claim_failed",),
)
async def claim_next_execution(call: Call[ClaimNextBody, NoQuery]) -> Response:
    """Claim the oldest execution that matches, waiting for one if asked to."""
    body = call.body
    command = ClaimNextExecution(
        account_id=call.account_id,
        worker_id=body.worker_id,
        task=body.task,
        tasks=None if body.tasks is None else tuple(body.tasks),
        agent=body.agent,
        lease_seconds=body.lease_seconds,
    )
    deadline = monotonic() + body.wait_seconds
    with call.ports.waiting.seat(call.account_id) as hint:
        while True:
            try:
                claimed, _ = await call.ask(command, ClaimAnswer)
                return await _claim_answer(call, claimed)
            except Refused as refused:
                if refused.rejection.code != "claim_failed":
                    raise
                if not await _work_before(call, deadline, hint):
                    raise


@claims.add(
    "POST",
    "/v1/executions/{execution_id}/claim",
    body=ClaimBody,
    query=NoQuery,
    answers={200: ClaimWire},
    codes=("execution_not_found", "claim_failed"),
)
async def claim_execution(call: Call[ClaimBody, NoQuery]) -> Response:
    """Claim an execution; of several claims one gets it."""
    command = ClaimExecution(
        account_id=call.account_id,
        execution_id=execution_id_of(call),
        worker_id=call.body.worker_id,
        lease_seconds=call.body.lease_seconds,
    )
    claimed, _ = await call.ask(command, ClaimAnswer)
    return await _claim_answer(call, claimed)


@claims.add(
    "POST",
    "/v1/executions/{execution_id}/heartbeat",
    body=HeartbeatBody,
    query=NoQuery,
    answers={200: LeaseWire},
    codes=("execution_not_found", "execution_not_claiming", "not_execution_owner"),
)
async def extend_lease(call: Call[HeartbeatBody, NoQuery]) -> Response:
    """Keep a claimed execution."""
    command = ExtendLease(
        account_id=call.account_id,
        execution_id=execution_id_of(call),
        worker_id=call.body.worker_id or worker_header(call.request),
    )
    extended, _ = await call.ask(command, LeaseAnswer)
    return answer(
        LeaseWire(
            execution_id=extended.execution_id,
            acknowledged=True,
            lease_extended_until=wire_time(extended.lease_until),
        )
    )


async def _work_before(call: Call[ClaimNextBody, NoQuery], deadline: float, hint: Hint) -> bool:
    """Wait until there is something to claim; false when the time is over, or nobody waits."""
    wanted = Claimable(call.body.task, call.body.agent, call.body.tasks)
    while (left := deadline - monotonic()) > 0:
        await hint.within(min(left, LOOK_AGAIN_SECONDS))
        if await call.request.is_disconnected():
            return False
        if await is_claimable(call.ports.store, call.account_id, wanted):
            return True
    return False


async def _claim_answer(
    call: Call[ClaimBody, NoQuery] | Call[ClaimNextBody, NoQuery], claimed: ClaimAnswer
) -> Response:
    ref, due = claimed.payload.sha256, claimed.scheduled_for
    found = await blobs.fetch(call.ports.store, call.account_id, [ref])
    return answer(
        ClaimWire(
            claimed=True,
            execution_id=claimed.execution_id,
            worker_id=claimed.worker_id,
            lease_seconds=claimed.lease_seconds,
            lease_expires_at=wire_time(claimed.lease_until),
            attempt=claimed.attempt,
            payload=msgspec.Raw(found[ref]) if ref in found else EMPTY_OBJECT,
            cue_id=claimed.cue_id,
            cue_name=claimed.cue_name,
            scheduled_for=None if due is None else wire_time(due),
        )
    )


def _item(row: ExecutionRow, found: dict[str, bytes]) -> ClaimableItemWire:
    facts = row.execution.facts
    payload = found.get(facts.payload.sha256 or "")
    return ClaimableItemWire(
        execution_id=facts.id,
        cue_id=facts.cue_id,
        cue_name=row.cue_name,
        task=facts.payload.task,
        scheduled_for=wire_time(facts.scheduled_for),
        payload=msgspec.Raw(payload) if payload else EMPTY_OBJECT,
        attempt=facts.attempts + 1,
    )
