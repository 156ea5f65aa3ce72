"""A claimed execution, and whether it is still ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from typing import Any


class LeaseLost(Exception):
    """The execution is no longer this worker's: what the handler does now has no effect."""


@dataclass
class Job:
    """One execution that this worker has claimed. Safe to share between threads.

    What is told of the cue is None where the server does not say it with the claim; then ask
    `Context.execution`.
    """

    execution_id: str
    payload: Mapping[str, Any]
    task: str | None = None
    attempt: int = 1
    lease_seconds: float = 60.0
    cue_id: str | None = None
    cue_name: str | None = None
    scheduled_for: datetime | None = None
    _lost: Event = field(default_factory=Event, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)
    _told: list[Callable[[], object]] = field(default_factory=list, repr=False)

    @property
    def lost(self) -> bool:
        """Whether the lease is lost, or given up."""
        return self._lost.is_set()

    def lose(self) -> None:
        """Note that the lease is gone, and tell those who asked; once."""
        with self._lock:
            if self._lost.is_set():
                return
            self._lost.set()
            told = [*self._told]
        for tell in told:
            tell()

    def on_lost(self, tell: Callable[[], object]) -> None:
        """Call this when the lease is lost, at once if it is; it must not block."""
        with self._lock:
            if not self._lost.is_set():
                self._told.append(tell)
                return
        tell()
