"""Tools about when cues come due (contract §16), and how a schedule is written."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from cueapi.calls import Call
from mcp.types import ToolAnnotations
from pydantic import Field, model_validator
from typing_extensions import override

from cueapi_mcp.call import given, read, write
from cueapi_mcp.tool import READS, CueId, Tool

_CRON = "Five fields, e.g. `0 9 * * 1-5`. Give either cron or at."
_AT = "RFC 3339 instant in the future, e.g. `2026-03-28T09:00:00-04:00`."
_TIMEZONE = "IANA name, e.g. `America/New_York`: the zone of cron."

Cron = Annotated[str, Field(max_length=100, description=_CRON)]
At = Annotated[str, Field(description=_AT)]
Timezone = Annotated[str, Field(description=_TIMEZONE)]


def schedule(cron: str | None, at: str | None, timezone: str | None) -> dict[str, str]:
    """Write a schedule as the API wants it. Raises ValueError unless one of cron and at is given.

    Without a timezone a cue keeps its own.
    """
    if (cron is None) == (at is None):
        raise ValueError("give exactly one of cron and at")
    kind = "once" if cron is None else "recurring"
    return given(type=kind, cron=cron, at=at, timezone=timezone)


class PreviewSchedule(Tool):
    """Say in words when a schedule comes due, and list its next times. Creates nothing.

    `dst` marks times that a change of clocks moves (`gap`) or repeats (`repeat`).
    """

    hints: ClassVar[ToolAnnotations] = READS

    cron: Cron | None = None
    at: At | None = None
    timezone: Timezone = "UTC"
    count: int = Field(5, ge=1, le=100, description="How many times to list.")

    @model_validator(mode="after")
    def _complete(self) -> PreviewSchedule:
        schedule(self.cron, self.at, self.timezone)
        return self

    @override
    def call(self) -> Call[Any]:
        body = {"schedule": schedule(self.cron, self.at, self.timezone), "count": self.count}
        return write("POST", "/v1/schedules/preview", body)


class Explain(Tool):
    """Say why a cue did or did not run at an instant: verdict, reason, and what to do next."""

    hints: ClassVar[ToolAnnotations] = READS

    cue_id: CueId
    at: str = Field(description="RFC 3339 instant, e.g. `2026-03-28T13:00:00Z`.")

    @override
    def call(self) -> Call[Any]:
        return read(f"/v1/cues/{self.cue_id}/explain", at=self.at)
