"""Tools with which work is proven (contract §2, nr 9, 10 and 13)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from cueapi.calls import Call
from mcp.types import ToolAnnotations
from pydantic import Field
from typing_extensions import override

from cueapi_mcp.call import given, write
from cueapi_mcp.tool import ADDS, SETS, ExecutionId, Tool, WorkerId

_RESULT_URL = "Where a person can see the result, http(s)."
_EXTERNAL_ID = "Id of what was made elsewhere, e.g. of the ticket, commit or message."

Text = Annotated[str, Field(max_length=8000)]
ExternalId = Annotated[str, Field(max_length=255, description=_EXTERNAL_ID)]
ResultUrl = Annotated[str, Field(max_length=2048, description=_RESULT_URL)]
ResultType = Annotated[str, Field(max_length=50, description="What it is, e.g. `tweet`.")]
Summary = Annotated[str, Field(max_length=500, description="What was done, in a sentence.")]
Artifacts = Annotated[list[dict[str, Any]], Field(max_length=100)]


class ReportOutcome(Tool):
    """Report how an execution's work went: once, and with evidence if you have any.

    Report what really happened; a failure with its `error` is a good report. A second report is
    refused (409): add to a reported one with cueapi_append_evidence.
    """

    hints: ClassVar[ToolAnnotations] = ADDS

    execution_id: ExecutionId
    success: bool = Field(description="Whether the work was done.", strict=True)
    result: Text | None = None
    error: Text | None = Field(None, description="What went wrong, if success is false.")
    external_id: ExternalId | None = None
    result_url: ResultUrl | None = None
    result_type: ResultType | None = None
    summary: Summary | None = None
    artifacts: Artifacts | None = None
    metadata: dict[str, Any] | None = None
    worker_id: WorkerId | None = None

    @override
    def call(self) -> Call[Any]:
        body = given(**self.model_dump(exclude={"execution_id"}))
        return write("POST", f"/v1/executions/{self.execution_id}/outcome", body)


class AppendEvidence(Tool):
    """Add evidence to an outcome that was reported already; it is then verified again."""

    hints: ClassVar[ToolAnnotations] = SETS

    execution_id: ExecutionId
    external_id: ExternalId | None = None
    result_url: ResultUrl | None = None
    result_type: ResultType | None = None
    summary: Summary | None = None
    artifacts: Artifacts | None = Field(None, description="Added to those reported before.")
    metadata: dict[str, Any] | None = Field(None, description="Merged by top-level key.")

    @override
    def call(self) -> Call[Any]:
        body = given(**self.model_dump(exclude={"execution_id"}))
        return write("PATCH", f"/v1/executions/{self.execution_id}/evidence", body)


class Verify(Tool):
    """Accept (`valid: true`) or reject a reported outcome, after looking at its evidence."""

    hints: ClassVar[ToolAnnotations] = SETS

    execution_id: ExecutionId
    valid: bool = Field(True, strict=True)
    reason: str | None = Field(None, max_length=500, description="Why, if rejected.")

    @override
    def call(self) -> Call[Any]:
        body = given(valid=self.valid, reason=self.reason)
        return write("POST", f"/v1/executions/{self.execution_id}/verify", body)
