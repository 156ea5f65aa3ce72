"""Tools about cues (contract §2, nr 1-6)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from cueapi.calls import Call
from mcp.types import ToolAnnotations
from pydantic import Field, model_validator
from typing_extensions import override

from cueapi_mcp.call import given, read, write
from cueapi_mcp.tool import (
    ADDS,
    OVERWRITES,
    READS,
    SETS,
    STARTS_WORK,
    CueId,
    Limit,
    Offset,
    Tool,
)
from cueapi_mcp.tools.schedules import At, Cron, Timezone, schedule

_CALLBACK_URL = "https URL that CueAPI calls with the payload when the cue is due."
_PAYLOAD = "JSON object handed to the agent; workers pick their work by its string `task`."
_VERIFICATION = (
    "Evidence without which a reported success does not count; `manual` waits for cueapi_verify."
)

CallbackUrl = Annotated[str, Field(max_length=2048, description=_CALLBACK_URL)]
Payload = Annotated[dict[str, Any], Field(description=_PAYLOAD)]
Description = Annotated[str, Field(max_length=5000, description="What the cue is for.")]
Mode = Literal["none", "require_external_id", "require_result_url", "require_artifacts", "manual"]
Verification = Annotated[Mode, Field(description=_VERIFICATION)]


class CreateCue(Tool):
    """Schedule work: create a cue that comes due by `cron` (again and again) or `at` (once).

    Give `callback_url` to have CueAPI call a webhook, or `worker: true` to let workers claim the
    work. Returns the cue with its id and `next_run`. Check an unsure schedule with
    cueapi_preview_schedule first.
    """

    hints: ClassVar[ToolAnnotations] = ADDS

    name: str = Field(min_length=1, max_length=255, description="Unique within the account.")
    cron: Cron | None = None
    at: At | None = None
    callback_url: CallbackUrl | None = None
    worker: bool = Field(False, description="True: workers claim it, no webhook is called.")
    timezone: Timezone = "UTC"
    payload: Payload = Field(default_factory=dict)
    description: Description | None = None
    verification: Verification | None = None

    @model_validator(mode="after")
    def _complete(self) -> CreateCue:
        if not self.worker and self.callback_url is None:
            raise ValueError("give callback_url, or worker: true")
        schedule(self.cron, self.at, self.timezone)
        return self

    @override
    def call(self) -> Call[Any]:
        body = given(
            name=self.name,
            schedule=schedule(self.cron, self.at, self.timezone),
            transport="worker" if self.worker else "webhook",
            callback=_callback(self.callback_url),
            payload=self.payload,
            description=self.description,
            verification=_verification(self.verification),
        )
        return write("POST", "/v1/cues", body)


class ListCues(Tool):
    """List cues, newest first, with their schedule, status and `next_run`."""

    hints: ClassVar[ToolAnnotations] = READS

    status: Literal["active", "paused", "completed", "failed"] | None = None
    limit: Limit = 20
    offset: Offset = 0

    @override
    def call(self) -> Call[Any]:
        return read("/v1/cues", **self.model_dump())


class GetCue(Tool):
    """Read one cue, with its latest executions (the newest is `executions[0]`)."""

    hints: ClassVar[ToolAnnotations] = READS

    cue_id: CueId

    @override
    def call(self) -> Call[Any]:
        return read(f"/v1/cues/{self.cue_id}")


class UpdateCue(Tool):
    """Change a cue. Only what you give changes; `payload` is replaced whole.

    Executions that exist already keep their payload and time.
    """

    hints: ClassVar[ToolAnnotations] = OVERWRITES

    cue_id: CueId
    name: str | None = Field(None, min_length=1, max_length=255)
    cron: Cron | None = None
    at: At | None = None
    callback_url: CallbackUrl | None = None
    timezone: Timezone | None = None
    payload: Payload | None = None
    description: Description | None = None
    verification: Verification | None = None

    @model_validator(mode="after")
    def _complete(self) -> UpdateCue:
        if self.cron or self.at or self.timezone:
            schedule(self.cron, self.at, self.timezone)
        return self

    @override
    def call(self) -> Call[Any]:
        timed = self.cron or self.at
        body = given(
            name=self.name,
            schedule=schedule(self.cron, self.at, self.timezone) if timed else None,
            callback=_callback(self.callback_url),
            payload=self.payload,
            description=self.description,
            verification=_verification(self.verification),
        )
        return write("PATCH", f"/v1/cues/{self.cue_id}", body)


class PauseCue(Tool):
    """Stop a cue from coming due, until cueapi_resume_cue. Executions in progress go on."""

    hints: ClassVar[ToolAnnotations] = SETS

    cue_id: CueId

    @override
    def call(self) -> Call[Any]:
        return write("PATCH", f"/v1/cues/{self.cue_id}", {"status": "paused"})


class ResumeCue(Tool):
    """Let a paused cue come due again. What passed meanwhile is not caught up."""

    hints: ClassVar[ToolAnnotations] = SETS

    cue_id: CueId

    @override
    def call(self) -> Call[Any]:
        return write("PATCH", f"/v1/cues/{self.cue_id}", {"status": "active"})


class DeleteCue(Tool):
    """Delete a cue with all its executions, for good. Prefer cueapi_pause_cue if unsure."""

    hints: ClassVar[ToolAnnotations] = OVERWRITES

    cue_id: CueId

    @override
    def call(self) -> Call[Any]:
        return write("DELETE", f"/v1/cues/{self.cue_id}")


class FireCue(Tool):
    """Run a cue now, whatever its schedule and status. Returns the `execution_id` to follow."""

    hints: ClassVar[ToolAnnotations] = STARTS_WORK

    cue_id: CueId
    payload_override: dict[str, Any] | None = Field(
        None, description="JSON object for this run alone."
    )
    merge_strategy: Literal["merge", "replace"] | None = Field(
        None,
        description="`merge` (default): the override's top-level keys win over the cue's payload.",
    )

    @override
    def call(self) -> Call[Any]:
        body = given(payload_override=self.payload_override, merge_strategy=self.merge_strategy)
        return write("POST", f"/v1/cues/{self.cue_id}/fire", body)


def _callback(url: str | None) -> dict[str, str] | None:
    return None if url is None else {"url": url}


def _verification(mode: Mode | None) -> dict[str, str] | None:
    return None if mode is None else {"mode": mode}
