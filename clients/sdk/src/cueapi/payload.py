"""A builder of the payloads that agents agree on."""

from __future__ import annotations

from typing import Any


class CuePayload:
    """Builds a payload: `CuePayload().task("sync_data").agent("nightly").build()`."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def task(self, task: str) -> CuePayload:
        """Name the task; workers claim by it."""
        return self._with("task", task)

    def kind(self, kind: str) -> CuePayload:
        """Name the kind of work."""
        return self._with("kind", kind)

    def instruction(self, instruction: str) -> CuePayload:
        """Tell the agent what to do."""
        return self._with("instruction", instruction)

    def context_ref(self, context_ref: str) -> CuePayload:
        """Point to the context that the agent needs."""
        return self._with("context_ref", context_ref)

    def context_mode(self, context_mode: str) -> CuePayload:
        """Say how to use the context."""
        return self._with("context_mode", context_mode)

    def agent(self, agent: str) -> CuePayload:
        """Name the agent; workers claim by it too."""
        return self._with("agent", agent)

    def extra(self, key: str, value: Any) -> CuePayload:
        """Add any other field."""
        return self._with(key, value)

    def build(self) -> dict[str, Any]:
        """Give the payload: only what was set."""
        return dict(self._fields)

    def _with(self, key: str, value: Any) -> CuePayload:
        self._fields[key] = value
        return self
