"""The engine: slots that claim, work and report, until they are told to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import random
from threading import Condition, Event, Thread
from time import monotonic

from cueapi.client import CueAPI
from cueapi.errors import AuthenticationError, CueAPIError
from cueapi.outcome import Retry
from cueapi.retries import RetryPolicy
from cueapi.worker.claims import ANY_TASK, Claims
from cueapi.worker.context import Context
from cueapi.worker.handlers import Handler, LoopThread
from cueapi.worker.heart import Heart
from cueapi.worker.job import Job
from cueapi.worker.report import Reporter, Spool
from cueapi.worker.turns import Turns

_log = logging.getLogger("cueapi.worker")
_PATIENCE = RetryPolicy(retries=1_000, first=0.5, longest=30.0, patience=600.0)

SHORT_WAIT_SECONDS = 1
# A slot that always finds work of one task lets the others have a turn after so many.
ROW = 16


@dataclass(frozen=True)
class EngineSettings:
    """How to work; times are in seconds."""

    worker_id: str
    concurrency: int = 4
    lease_seconds: int = 60
    wait_seconds: int = 20
    poll_interval: float = 5.0
    heartbeat_interval: float = 30.0
    drain: float = 30.0


class Engine:
    """Runs handlers for what it claims, on `concurrency` threads."""

    def __init__(
        self,
        client: CueAPI,
        handlers: Mapping[str, Handler],
        settings: EngineSettings,
        spool: Spool,
    ) -> None:
        self._client = client
        self._handlers = handlers
        self._settings = settings
        self._stopping = Event()
        self._given_up = Event()
        self._changed = Condition()
        self._jobs: dict[str, Job] = {}
        self._refused: AuthenticationError | None = None
        tasks: Sequence[str] = [ANY_TASK] if ANY_TASK in handlers else [*handlers]
        limits = {task: h.concurrency for task, h in handlers.items() if h.concurrency}
        self._turns = Turns(tasks, settings.concurrency, limits)
        self._retiring = False
        self._slots = settings.concurrency
        self._loop = LoopThread()
        worker_id = settings.worker_id
        self._heart = Heart(client, worker_id, tasks, settings.heartbeat_interval)
        self._reporter = Reporter(client, worker_id, spool, self._given_up)
        self._claims = Claims(
            client,
            worker_id,
            lease_seconds=settings.lease_seconds,
            poll_interval=settings.poll_interval,
            stopping=self._stopping,
        )

    def run(self) -> bool:
        """Work until `stop`; false if jobs were still running when the drain was over.

        Their leases are then let go, so that another worker takes them up. Raises
        AuthenticationError when the key stops working.
        """
        self._heart.start()
        self._start("cueapi-spool", self._reporter.send_left)
        for number in range(self._settings.concurrency):
            self._start(f"cueapi-slot-{number}", self._slot)
        self._stopping.wait()
        drained = self._drain()
        self._given_up.set()
        self._heart.stop()
        if self._refused is not None:
            raise self._refused
        return drained

    def stop(self) -> None:
        """Claim no more, and finish what is running; called again, let that go at once."""
        if self._stopping.is_set():
            self._given_up.set()
        self._stopping.set()
        self._turns.close()

    def retire(self) -> None:
        """Do as `stop`, and wait for claims that are under way too.

        For programs that live on: nobody else would do what such a claim brings.
        """
        self._retiring = True
        self.stop()

    @property
    def running(self) -> Sequence[Job]:
        """The jobs being worked on."""
        with self._changed:
            return [*self._jobs.values()]

    def _start(self, name: str, target: Callable[[], None]) -> None:
        Thread(target=target, name=name, daemon=True).start()

    def _drain(self) -> bool:
        deadline = monotonic() + self._settings.drain
        with self._changed:
            while self._is_busy() and monotonic() < deadline and not self._given_up.is_set():
                self._changed.wait(min(0.2, max(0.0, deadline - monotonic())))
            left = [*self._jobs.values()]
        for job in left:
            _log.warning("gave up execution %s: its lease runs out", job.execution_id)
            job.lose()
        return not left

    def _is_busy(self) -> bool:
        return bool(self._jobs) or (self._retiring and self._slots > 0)

    def _slot(self) -> None:
        try:
            self._take_turns()
        finally:
            with self._changed:
                self._slots -= 1
                self._changed.notify_all()

    def _take_turns(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._take_turn()
            except AuthenticationError as error:
                self._refused = error
                self.stop()
            except CueAPIError as error:
                failures += 1
                _log.warning("could not claim work: %s", error)
                self._pause(failures, getattr(error, "retry_after", None))
            except Exception:
                failures += 1
                _log.exception("a slot stumbled")
                self._pause(failures, None)
            else:
                failures = 0

    def _take_turn(self) -> None:
        with self._turns.take(lambda: self._claims.at_once) as turn:
            if turn is None:
                return
            tasks, covered = turn
            wait = self._settings.wait_seconds if covered else SHORT_WAIT_SECONDS
            job = self._claims.next(tasks, wait)
            if job is None:
                return
            task = ANY_TASK if job.task is None or job.task not in tasks else job.task
            self._turns.busy(task)
        try:
            self._work_in_a_row(task, job)
        finally:
            self._turns.done(task)

    def _work_in_a_row(self, task: str, job: Job) -> None:
        self._work(job)
        for _ in range(ROW):
            if self._stopping.is_set():
                return
            another = self._claims.next([task], 0)
            if another is None:
                return
            self._work(another)

    def _pause(self, failures: int, asked: int | None) -> None:
        seconds = _PATIENCE.wait(failures, random(), asked)  # noqa: S311  # jitter
        self._stopping.wait(_PATIENCE.longest if seconds is None else seconds)

    def _work(self, job: Job) -> None:
        with self._changed:
            self._jobs[job.execution_id] = job
        try:
            with self._turns.at_work(), self._heart.keeping(job):
                self._handle(job)
        finally:
            with self._changed:
                del self._jobs[job.execution_id]
                self._changed.notify_all()

    def _handle(self, job: Job) -> None:
        handler = self._handlers.get(job.task or "") or self._handlers[ANY_TASK]
        ctx = Context(job, self._settings.worker_id, self._client, self._heart.beat_now)
        verdict = handler.run(ctx, self._loop)
        if job.lost:
            _log.warning("execution %s was lost: its outcome is not reported", job.execution_id)
        elif isinstance(verdict, Retry):
            self._heart.let_lapse(job, verdict.after)
        else:
            self._reporter.report(job.execution_id, verdict.body())
