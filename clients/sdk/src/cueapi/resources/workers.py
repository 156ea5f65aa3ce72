"""Workers: list, forget, heartbeat (contract §2 nr 33-34, §3)."""

from __future__ import annotations

from collections.abc import Sequence

from cueapi.calls import Call, nothing
from cueapi.models.workers import WorkerHeartbeat, WorkerList
from cueapi.resource import AsyncResource, Resource, operation
from cueapi.values import present, segment


class WorkerCalls:
    """The calls about workers."""

    @operation
    def list(self) -> Call[WorkerList]:
        """List the account's workers, latest heartbeat first."""
        return Call("GET", "/v1/workers", WorkerList.from_dict)

    @operation
    def delete(self, worker_id: str) -> Call[None]:
        """Forget a worker; what it has claimed stays its own until the lease ends."""
        return Call("DELETE", f"/v1/workers/{segment(worker_id)}", nothing)

    @operation
    def heartbeat(
        self, worker_id: str, *, handlers: Sequence[str] | None = None
    ) -> Call[WorkerHeartbeat]:
        """Tell that a worker lives, and which tasks it handles; registers it at first."""
        body = present(worker_id=worker_id, handlers=handlers)
        return Call("POST", "/v1/worker/heartbeat", WorkerHeartbeat.from_dict, json=body)


class WorkersResource(WorkerCalls, Resource):
    """`client.workers`."""


class AsyncWorkersResource(WorkerCalls, AsyncResource):
    """`client.workers` of an async client."""
