"""Tools about executions: what ran, how it went, and running it again (contract §2, nr 7-11)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cueapi.calls import Call
from mcp.types import ToolAnnotations
from pydantic import Field
from typing_extensions import override

from cueapi_mcp.call import read, write
from cueapi_mcp.tool import READS, STARTS_WORK, CueId, ExecutionId, Limit, Offset, Tool

Status = Literal[
    "pending", "delivering", "retrying", "success", "failed", "missed", "outcome_timeout"
]


class ListExecutions(Tool):
    """List executions, newest first: which ran, how delivery went, what outcome was reported."""

    hints: ClassVar[ToolAnnotations] = READS

    cue_id: CueId | None = None
    status: Status | None = Field(
        None, description="State of delivery; what came of the work is `outcome_state`."
    )
    limit: Limit = 20
    offset: Offset = 0

    @override
    def call(self) -> Call[Any]:
        return read("/v1/executions", **self.model_dump())


class GetExecution(Tool):
    """Read one execution: its payload, delivery and outcome."""

    hints: ClassVar[ToolAnnotations] = READS

    execution_id: ExecutionId

    @override
    def call(self) -> Call[Any]:
        return read(f"/v1/executions/{self.execution_id}")


class GetExecutionTimeline(Tool):
    """Tell an execution's whole story, oldest event first: use it to find out what went wrong."""

    hints: ClassVar[ToolAnnotations] = READS

    execution_id: ExecutionId

    @override
    def call(self) -> Call[Any]:
        return read(f"/v1/executions/{self.execution_id}/timeline")


class Replay(Tool):
    """Run an ended execution again, with the same payload, as a new execution."""

    hints: ClassVar[ToolAnnotations] = STARTS_WORK

    execution_id: ExecutionId

    @override
    def call(self) -> Call[Any]:
        return write("POST", f"/v1/executions/{self.execution_id}/replay")
