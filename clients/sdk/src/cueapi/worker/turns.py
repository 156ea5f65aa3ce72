"""Who waits for which tasks: each is waited for by one slot at a time, all in rotation."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Condition


class Turns:
    """Hands tasks to the slots that are free to wait for work.

    So an idle worker holds as few long polls as it can, not one for each slot; and when work comes,
    the next slot takes over the waiting before the first has done the work. Nobody waits for a task
    that as many slots are busy with as `limits` allows.
    """

    def __init__(
        self, tasks: Sequence[str], slots: int, limits: Mapping[str, int] | None = None
    ) -> None:
        self._changed = Condition()
        self._free = deque(tasks)
        self._count = len(tasks)
        self._idle = slots
        self._limits = limits or {}
        self._busy: Counter[str] = Counter()
        self._closed = False

    @contextmanager
    def take(self, at_once: Callable[[], int]) -> Iterator[tuple[Sequence[str], bool] | None]:
        """Wait for tasks that nobody waits for, so many of them at most; None when closed.

        With them comes whether all tasks are covered by slots that are free: if not, the wait for
        these must be short, for others to have their turn.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._closed)
            most = 0 if self._closed else min(at_once(), len(self._free))
            tasks = [self._free.popleft() for _ in range(most)]
            covered = self._idle * at_once() >= self._count
        try:
            yield (tasks, covered) if tasks else None
        finally:
            with self._changed:
                self._free.extend(task for task in tasks if not self._is_full(task))
                self._changed.notify_all()

    def busy(self, task: str) -> None:
        """Count a slot as busy with a task, before its turn to wait for it is over."""
        with self._changed:
            self._busy[task] += 1

    def done(self, task: str) -> None:
        """Count a slot as busy with a task no more."""
        with self._changed:
            was_full = self._is_full(task)
            self._busy[task] -= 1
            if was_full:
                self._free.append(task)
                self._changed.notify()

    def _is_full(self, task: str) -> bool:
        return self._busy[task] >= self._limits.get(task, self._busy[task] + 1)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count a slot as not free while in the block."""
        with self._changed:
            self._idle -= 1
        try:
            yield
        finally:
            with self._changed:
                self._idle += 1

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
