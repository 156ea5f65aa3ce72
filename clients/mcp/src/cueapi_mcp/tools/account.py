"""Tools about the account: workers, alerts, usage (contract §2, nr 34-36 and 39)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cueapi.calls import Call
from mcp.types import ToolAnnotations
from pydantic import Field
from typing_extensions import override

from cueapi_mcp.call import read, write
from cueapi_mcp.tool import READS, SETS, AlertId, CueId, ExecutionId, Limit, Offset, Tool

AlertType = Literal[
    "consecutive_failure", "missed_window", "outcome_timeout", "verification_failed"
]


class ListWorkers(Tool):
    """List workers, with the tasks they handle and whether they are `active`."""

    hints: ClassVar[ToolAnnotations] = READS

    @override
    def call(self) -> Call[Any]:
        return read("/v1/workers")


class ListAlerts(Tool):
    """List alerts, newest first: repeated failures, missed runs, missing or rejected outcomes."""

    hints: ClassVar[ToolAnnotations] = READS

    alert_type: AlertType | None = None
    cue_id: CueId | None = None
    execution_id: ExecutionId | None = None
    acknowledged: bool | None = Field(None, description="False: only those that still need care.")
    limit: Limit = 20
    offset: Offset = 0

    @override
    def call(self) -> Call[Any]:
        return read("/v1/alerts", **self.model_dump())


class AcknowledgeAlert(Tool):
    """Say that an alert is being taken care of. It can't be undone."""

    hints: ClassVar[ToolAnnotations] = SETS

    alert_id: AlertId

    @override
    def call(self) -> Call[Any]:
        return write("POST", f"/v1/alerts/{self.alert_id}/acknowledge")


class Usage(Tool):
    """Read the plan, and how much of its cues, executions and requests is used."""

    hints: ClassVar[ToolAnnotations] = READS

    @override
    def call(self) -> Call[Any]:
        return read("/v1/usage")
