"""`executions.handle`: a block of code whose end is the execution's outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any

from cueapi.calls import Call
from cueapi.models.executions import RecordedOutcome
from cueapi.values import jsonable, present, segment

MAX_TEXT = 2_000


def outcome_call(execution_id: str, body: Mapping[str, Any]) -> Call[RecordedOutcome]:
    """Make the call that puts an outcome on record; `body` as of contract nr 9."""
    path = f"/v1/executions/{segment(execution_id)}/outcome"
    return Call("POST", path, RecordedOutcome.from_dict, json=dict(body))


class Job:
    """What a block is given: `payload` to work on; `result`, `error`, `evidence` to fill in."""

    def __init__(self, execution_id: str, payload: Mapping[str, Any] | None = None) -> None:
        self.execution_id = execution_id
        self.payload: dict[str, Any] = dict(payload or {})
        self.result: str | None = None
        self.error: str | None = None
        self.evidence: dict[str, Any] = {}

    def outcome(self, raised: BaseException | None) -> Call[RecordedOutcome]:
        """Make the call that reports how the block ended."""
        if raised is None:
            told = {"success": True, **present(result=_cut(self.result)), **self.evidence}
        else:
            error = self.error or f"{type(raised).__name__}: {raised}"
            told = {"success": False, "error": _cut(error)}
        return outcome_call(
            self.execution_id, {name: jsonable(value) for name, value in told.items()}
        )


class Handling(Job):
    """A sync block; see `Job`."""

    def __init__(
        self,
        run: Callable[[Call[Any]], Any],
        execution_id: str,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(execution_id, payload)
        self._run = run

    def __enter__(self) -> Handling:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Report the outcome; what the block raised goes on."""
        self._run(self.outcome(raised))


class AsyncHandling(Job):
    """An async block; see `Job`."""

    def __init__(
        self,
        run: Callable[[Call[Any]], Awaitable[Any]],
        execution_id: str,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(execution_id, payload)
        self._run = run

    async def __aenter__(self) -> AsyncHandling:
        """Begin."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Report the outcome; what the block raised goes on."""
        await self._run(self.outcome(raised))


def _cut(text: str | None) -> str | None:
    return text if text is None else str(text)[:MAX_TEXT]
