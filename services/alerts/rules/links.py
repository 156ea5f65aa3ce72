"""Where a click in a mail leads. Pure."""

from __future__ import annotations

from libs.events.base import Value


class Links(Value):
    """Addresses of pages: the dashboard's, or the API's own where there is no dashboard."""

    dashboard_url: str
    base_url: str

    def execution(self, execution_id: str) -> str:
        """The page of an execution."""
        return f"{self._root()}/executions/{execution_id}"

    def cue(self, cue_id: str) -> str:
        """The page of a cue."""
        return f"{self._root()}/cues/{cue_id}"

    def workers(self) -> str:
        """The page of an account's workers."""
        return f"{self._root()}/workers"

    def billing(self) -> str:
        """The page where a plan is changed."""
        return f"{self.dashboard_url.rstrip('/') or self.base_url.rstrip('/')}/billing"

    def _root(self) -> str:
        return self.dashboard_url.rstrip("/") or f"{self.base_url.rstrip('/')}/v1"
