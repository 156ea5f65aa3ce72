"""What a handler may ask for besides the payload."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cueapi.outcome import FIELDS
from cueapi.worker.job import Job, LeaseLost

if TYPE_CHECKING:
    from datetime import datetime

    from cueapi.client import CueAPI
    from cueapi.models import Execution


class Context:
    """The execution that a handler works on.

    `log` carries the execution's id, task and attempt as `extra`. Leases are extended without the
    handler's doing; `heartbeat()` is for those that want to know whether to go on.
    """

    def __init__(
        self,
        job: Job,
        worker_id: str,
        client: CueAPI | None = None,
        beat: Callable[[Job], None] = lambda job: None,
    ) -> None:
        self.job = job
        self.worker_id = worker_id
        self.collected: dict[str, Any] = {}
        self._client = client
        self._beat = beat

    @property
    def execution_id(self) -> str:
        """The execution's id: the same for every attempt, so good for deduplication."""
        return self.job.execution_id

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the cue sends."""
        return self.job.payload

    @property
    def task(self) -> str | None:
        """The payload's task."""
        return self.job.task

    @property
    def cue_id(self) -> str | None:
        """The cue it is a run of; None where an older server does not say."""
        return self.job.cue_id

    @property
    def cue_name(self) -> str | None:
        """That cue's name; None as for `cue_id`."""
        return self.job.cue_name

    @property
    def scheduled_for(self) -> datetime | None:
        """When it was due; None as for `cue_id`."""
        return self.job.scheduled_for

    @property
    def attempt(self) -> int:
        """Which claim of this execution this is, from 1."""
        return self.job.attempt

    @property
    def cancelled(self) -> bool:
        """Whether the lease is lost: nothing that the handler reports will count."""
        return self.job.lost

    @cached_property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger that says what it is about."""
        about = {"execution_id": self.execution_id, "task": self.task, "attempt": self.attempt}
        return logging.LoggerAdapter(logging.getLogger("cueapi.worker.handler"), about)

    @property
    def client(self) -> CueAPI:
        """The worker's client. Raises RuntimeError in `run_once`, which has no server."""
        if self._client is None:
            raise RuntimeError("this context has no server to talk to")
        return self._client

    @cached_property
    def execution(self) -> Execution:
        """The whole execution, read when first asked for. Raises CueAPIError."""
        return self.client.executions.get(self.execution_id)

    def heartbeat(self) -> None:
        """Have the lease extended now; returns at once. Raises LeaseLost if it is lost."""
        if self.job.lost:
            raise LeaseLost(f"execution {self.execution_id} is no longer this worker's")
        self._beat(self.job)

    def evidence(self, **fields: Any) -> None:
        """Add to the outcome: `external_id`, `result_url`, `artifacts`, `summary`, `metadata`, ….

        What the handler returns wins. Raises TypeError for a field that outcomes do not have.
        """
        unknown = fields.keys() - (FIELDS - {"success"})
        if unknown:
            raise TypeError(f"an outcome has no {', '.join(sorted(unknown))}")
        metadata = {**self.collected.get("metadata", {}), **(fields.pop("metadata", None) or {})}
        self.collected.update(fields)
        if metadata:
            self.collected["metadata"] = metadata

    def on_lost(self, tell: Callable[[], object]) -> None:
        """Call this when the lease is lost, from another thread; it must not block."""
        self.job.on_lost(tell)
