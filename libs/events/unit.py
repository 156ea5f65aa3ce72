"""The unit of work: the states that one transaction holds, and the events that it adds.

Both forms of the log, Postgres and memory, stand on it; so what an event does to the rows is
written once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from libs.events.base import Event, Value, stream_of
from libs.events.counters import Activity, Outcomes, activity, outcomes
from libs.events.cues import (
    CATEGORY as CUE,
)
from libs.events.envelope import Meta, Recorded, Reply
from libs.events.execution_events import ExecutionScheduled
from libs.events.executions import CATEGORY as EXECUTION
from libs.events.streams import CATEGORIES
from libs.runtime.ids import new_uuid

StreamKey = tuple[str, str]


class Held(Value):
    """A stream's state and version, as read under its lock."""

    version: int
    state: Any


class StoredResult(Value):
    """The reply to a command that was handled before."""

    command_id: str
    account_id: str
    reply: Reply
    idempotency_key: str | None = None
    request_hash: str | None = None


class Unit:
    """One transaction's view of the log. `now` is the transaction's own clock, in UTC."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.recorded: list[Recorded] = []
        self.results: list[StoredResult] = []
        self.activity: list[Activity] = []
        self.outcomes: list[Outcomes] = []
        self._held: dict[StreamKey, Held] = {}
        self._born: set[StreamKey] = set()
        self._changed: set[StreamKey] = set()

    def hold(self, category: str, key: str, version: int, state: Any) -> None:
        """Note a state that was read and locked."""
        self._held[category, key] = Held(version=version, state=state)

    def state(self, category: str, key: str) -> Any:
        """Give the state with all that this transaction has recorded, or None if there is none."""
        held = self._held.get((category, key))
        return held.state if held else None

    def version(self, category: str, key: str) -> int:
        """Give the stream's version; 0 before its first event."""
        held = self._held.get((category, key))
        return held.version if held else 0

    def record(
        self, category: str, key: str, account_id: str, events: Sequence[Event], meta: Meta
    ) -> None:
        """Append `events` to a stream that is locked, or that is new, and evolve its state."""
        kind = CATEGORIES[category]
        name = (category, key)
        if name not in self._held:
            self._born.add(name)
        for event in events:
            version = self.version(category, key) + 1
            before = self.state(category, key)
            state = kind.evolve(before, event)
            if category == EXECUTION and (part := activity(before, state)):
                self.activity.append(part)
            if category == EXECUTION and (ended := outcomes(before, state)):
                self.outcomes.append(ended)
            self._held[name] = Held(version=version, state=state)
            self._changed.add(name)
            self.recorded.append(
                Recorded(
                    id=new_uuid(),
                    stream_id=stream_of(category, key),
                    version=version,
                    account_id=account_id,
                    event=event,
                    meta=meta,
                )
            )
            if isinstance(event, ExecutionScheduled):
                self._move_cue(event)

    def answer(self, result: StoredResult) -> None:
        """Keep a command's reply, so that the same command gets it again."""
        self.results.append(result)

    def rows(self, category: str, *, born: bool) -> list[dict[str, Any]]:
        """Give the rows of this category that are new, or that have changed."""
        kind = CATEGORIES[category]
        return [
            {**kind.row(self._held[name].state), "version": self._held[name].version}
            for name in sorted(self._changed)
            if name[0] == category and (name in self._born) is born
        ]

    def changed_categories(self) -> Iterable[str]:
        """Name the categories with new or changed rows, in the order in which locks are taken."""
        changed = {category for category, _ in self._changed}
        return [category for category in CATEGORIES if category in changed]

    def _move_cue(self, event: ExecutionScheduled) -> None:
        name = (CUE, event.cue_id)
        held = self._held.get(name)
        assert held is not None, "a fire locks its cue"
        state = CATEGORIES[CUE].evolve(held.state, event)
        if state is not held.state:
            self._held[name] = Held(version=held.version, state=state)
            self._changed.add(name)
