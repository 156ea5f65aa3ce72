"""Which executions a receiver has done, so that none is done twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final, Protocol, TypeAlias

from cueapi.overriding import override

Outcome: TypeAlias = Mapping[str, Any]

RUNNING: Final[Outcome] = {}
"""What `begin` gives for an execution that is being worked on."""

MOST = 10_000


class SeenStore(Protocol):
    """Remembers executions: in a database, if several processes receive for one cue."""

    def begin(self, execution_id: str) -> Outcome | None:
        """Begin an execution, atomically; None means it is new and now running.

        Else gives its outcome, or RUNNING (any empty mapping) while there is none.
        """

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Remember the outcome."""

    def forget(self, execution_id: str) -> None:
        """Let the execution begin anew: it was not done."""


class MemoryStore(SeenStore):
    """Remembers the latest `most` executions in this process. Safe to share between threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: OrderedDict[str, Outcome] = OrderedDict()
        self._lock = Lock()

    @override
    def begin(self, execution_id: str) -> Outcome | None:
        """Begin, forgetting the oldest if there are too many."""
        with self._lock:
            if execution_id in self._seen:
                return self._seen[execution_id]
            self._seen[execution_id] = RUNNING
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)
            return None

    @override
    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Remember the outcome."""
        with self._lock:
            if execution_id in self._seen:
                self._seen[execution_id] = outcome

    @override
    def forget(self, execution_id: str) -> None:
        """Let it begin anew."""
        with self._lock:
            self._seen.pop(execution_id, None)
