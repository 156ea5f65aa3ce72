"""Events of the live stream."""

from __future__ import annotations

from cueapi.models.executions import TimelineEvent


class StreamEvent(TimelineEvent):
    """Something that has just happened; `position` resumes the stream after it."""

    cue_id: str | None
    execution_id: str | None
    position: str | None
