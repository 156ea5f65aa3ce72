"""Tools with which an agent is a worker: look, claim, keep (contract §7; §2, nr 12, 15 and 16)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from cueapi.calls import Call
from mcp.types import ToolAnnotations
from pydantic import Field
from typing_extensions import override

from cueapi_mcp.call import given, read, write
from cueapi_mcp.tool import ADDS, READS, SETS, ExecutionId, Tool, WorkerId

TaskName = Annotated[str, Field(description="Only work whose `payload.task` is this.")]


class ListClaimableExecutions(Tool):
    """List work that waits for a worker, oldest first. Looking claims nothing."""

    hints: ClassVar[ToolAnnotations] = READS

    task_name: TaskName | None = None
    agent: str | None = Field(None, description="Only work whose `payload.agent` is this.")

    @override
    def call(self) -> Call[Any]:
        return read("/v1/executions/claimable", task=self.task_name, agent=self.agent)


class ClaimExecution(Tool):
    """Take one execution to work on. One worker gets it; 409 means that another was faster.

    You hold it for `lease_seconds`: do the work and call cueapi_report_outcome before, or call
    cueapi_execution_heartbeat to keep it longer.
    """

    hints: ClassVar[ToolAnnotations] = ADDS

    execution_id: ExecutionId
    worker_id: WorkerId

    @override
    def call(self) -> Call[Any]:
        path = f"/v1/executions/{self.execution_id}/claim"
        return write("POST", path, {"worker_id": self.worker_id})


class ClaimNextExecution(Tool):
    """Take the oldest waiting execution to work on, as cueapi_claim_execution does.

    409 `claim_failed` means that no work waits.
    """

    hints: ClassVar[ToolAnnotations] = ADDS

    worker_id: WorkerId
    task_name: TaskName | None = None

    @override
    def call(self) -> Call[Any]:
        body = given(worker_id=self.worker_id, task=self.task_name)
        return write("POST", "/v1/executions/claim", body)


class ExecutionHeartbeat(Tool):
    """Keep a claimed execution for another lease. 403 or 409: you lost it, so stop working."""

    hints: ClassVar[ToolAnnotations] = SETS

    execution_id: ExecutionId
    worker_id: WorkerId

    @override
    def call(self) -> Call[Any]:
        path = f"/v1/executions/{self.execution_id}/heartbeat"
        return write("POST", path, headers={"X-Worker-Id": self.worker_id})
