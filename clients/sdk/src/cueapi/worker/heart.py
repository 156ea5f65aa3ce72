"""Heartbeats, from a thread that no handler can block."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from threading import Condition, Thread
from time import monotonic

from cueapi.client import CueAPI
from cueapi.errors import ConflictError, CueAPIError, CueNotFoundError, NotOwnerError
from cueapi.worker.job import Job

_log = logging.getLogger("cueapi.worker")

ANSWER_SECONDS = 10.0
LOST = (NotOwnerError, ConflictError, CueNotFoundError)


@dataclass
class _Pulse:
    due: float
    beat: Callable[[], float]  # gives the seconds until the next beat
    until: float = inf


class Heart:
    """Extends the leases of jobs at a third of their length, and shows that the worker lives.

    A lease that the server says is lost is told to its job. Any other trouble is logged, and the
    beat is tried again soon.
    """

    def __init__(
        self, client: CueAPI, worker_id: str, tasks: Sequence[str], interval: float
    ) -> None:
        self._client = client.with_options(max_retries=0, timeout=ANSWER_SECONDS)
        self._worker_id = worker_id
        self._tasks = tasks
        self._interval = interval
        self._changed = Condition()
        self._pulses: dict[str, _Pulse] = {"": _Pulse(0.0, self._show_life)}
        self._stopped = False

    def start(self) -> None:
        """Begin to beat."""
        Thread(target=self._run, name="cueapi-heartbeats", daemon=True).start()

    def stop(self) -> None:
        """Beat no more: leases that are held run out."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    @contextmanager
    def keeping(self, job: Job) -> Iterator[None]:
        """Extend the lease of a job while in the block."""
        pulse = _Pulse(monotonic() + job.lease_seconds / 3, lambda: self._extend(job))
        with self._changed:
            self._pulses[job.execution_id] = pulse
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                if pulse.until == inf:
                    self._pulses.pop(job.execution_id, None)

    def beat_now(self, job: Job) -> None:
        """Extend the lease of a job that is kept as soon as possible."""
        with self._changed:
            if job.execution_id in self._pulses:
                self._pulses[job.execution_id].due = 0.0
                self._changed.notify()

    def let_lapse(self, job: Job, after: float) -> None:
        """Let the lease of a job that is kept end in so many seconds, or a little later."""
        # The last beat before `until` may come a third of a lease earlier than that.
        last = after - job.lease_seconds * 2 / 3
        with self._changed:
            self._pulses[job.execution_id].until = monotonic() + last

    def _run(self) -> None:
        while (pulse := self._next()) is not None:
            try:
                seconds = pulse.beat()
            except Exception:
                # A thread that dies here would cost every lease: log, and beat on.
                _log.exception("a heartbeat failed")
                seconds = 1.0
            with self._changed:
                pulse.due = monotonic() + seconds

    def _next(self) -> _Pulse | None:
        with self._changed:
            while not self._stopped:
                now = monotonic()
                for ended in [
                    i for i, p in self._pulses.items() if p.until is not None and p.until <= now
                ]:
                    del self._pulses[ended]
                pulse = min(self._pulses.values(), key=lambda each: each.due)
                if pulse.due <= now:
                    return pulse
                self._changed.wait(pulse.due - now)
        return None

    def _extend(self, job: Job) -> float:
        if job.lost:
            return job.lease_seconds
        try:
            self._client.executions.heartbeat(job.execution_id, worker_id=self._worker_id)
        except LOST as error:
            _log.warning("lost the lease of execution %s: %s", job.execution_id, error)
            job.lose()
        except CueAPIError as error:
            _log.warning("could not extend the lease of %s: %s", job.execution_id, error)
            return max(1.0, job.lease_seconds / 10)
        return job.lease_seconds / 3

    def _show_life(self) -> float:
        try:
            self._client.workers.heartbeat(self._worker_id, handlers=self._tasks)
        except CueAPIError as error:
            _log.warning("could not send the worker's heartbeat: %s", error)
            return min(5.0, self._interval)
        return self._interval
