"""Workers: their heartbeat (contract §2 nr 33), which there are (nr 34), and their removal (§3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints
from starlette.responses import Response

from libs.events.answers import Done, HeartbeatAnswer
from libs.events.execution_commands import DeleteWorker, RecordWorkerHeartbeat
from services.api.errors import ApiError
from services.api.queries.workers import WorkerRow, list_workers
from services.api.routes.call import Call
from services.api.routes.operation import Operations, answer
from services.api.routes.ports import Rules
from services.api.routes.shapes import Lenient, NoBody, NoQuery, WorkerId
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time

DEAD_SECONDS = 900
MAX_WORKER_ID = 255

workers = Operations("Worker mode")

Handlers = Annotated[list[Annotated[str, StringConstraints(max_length=255)]], Field(max_length=100)]


class WorkerHeartbeatBody(Lenient):
    """Which worker lives, and what it can do; absent `handlers` keep the last list."""

    worker_id: WorkerId
    handlers: Handlers | None = None


class WorkerHeartbeatWire(Wire):
    """The worker was seen."""

    acknowledged: bool
    server_time: Timestamp


class WorkerWire(Wire):
    """A worker that has sent a heartbeat."""

    worker_id: str
    heartbeat_status: str
    last_heartbeat: Timestamp
    seconds_since_heartbeat: int
    handlers: list[str]
    registered_since: Timestamp


class WorkerListWire(Wire):
    """Workers, latest heartbeat first."""

    workers: list[WorkerWire]
    total: int


@workers.add(
    "POST",
    "/v1/worker/heartbeat",
    body=WorkerHeartbeatBody,
    query=NoQuery,
    answers={200: WorkerHeartbeatWire},
)
async def record_worker_heartbeat(call: Call[WorkerHeartbeatBody, NoQuery]) -> Response:
    """Say that a worker lives; registers it on first sight."""
    handlers = call.body.handlers
    command = RecordWorkerHeartbeat(
        account_id=call.account_id,
        worker_id=call.body.worker_id,
        handlers=None if handlers is None else tuple(handlers),
    )
    seen, _ = await call.ask(command, HeartbeatAnswer)
    return answer(WorkerHeartbeatWire(acknowledged=True, server_time=wire_time(seen.at)))


@workers.add("GET", "/v1/workers", body=NoBody, query=NoQuery, answers={200: WorkerListWire})
async def get_workers(call: Call[NoBody, NoQuery]) -> Response:
    """List the workers that have sent heartbeats, the latest first."""
    rows = await list_workers(call.ports.store, call.account_id)
    shown = [_worker(row, call.ports.rules) for row in rows]
    return answer(WorkerListWire(workers=shown, total=len(shown)))


@workers.add(
    "DELETE",
    "/v1/workers/{worker_id}",
    body=NoBody,
    query=NoQuery,
    answers={204: None},
    codes=("worker_not_found",),
)
async def delete_worker(call: Call[NoBody, NoQuery]) -> Response:
    """Forget a worker; what it has claimed stays its own until the leases end."""
    worker_id = call.path("worker_id")
    if "\0" in worker_id or len(worker_id) > MAX_WORKER_ID:
        raise ApiError("worker_not_found", "no worker of this account has this id")
    await call.ask(DeleteWorker(account_id=call.account_id, worker_id=worker_id), Done)
    return Response(status_code=204)


def _worker(row: WorkerRow, rules: Rules) -> WorkerWire:
    silent = int(row.silent_seconds)
    return WorkerWire(
        worker_id=row.worker_id,
        heartbeat_status=_status(silent, rules.worker_stale_seconds),
        last_heartbeat=wire_time(row.last_heartbeat_at),
        seconds_since_heartbeat=silent,
        handlers=row.handlers or [],
        registered_since=wire_time(row.registered_at),
    )


def _status(silent_seconds: int, stale_seconds: int) -> str:
    if silent_seconds < stale_seconds:
        return "active"
    return "stale" if silent_seconds < DEAD_SECONDS else "dead"
