"""`Worker`: handlers by decorator, started and stopped."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, TypeVar

from cueapi.outcome import Outcome, Retry
from cueapi.worker.claims import ANY_TASK
from cueapi.worker.context import Context
from cueapi.worker.handlers import Handler, LoopThread
from cueapi.worker.job import Job
from cueapi.worker.report import NoSpool, Spool

if TYPE_CHECKING:
    from cueapi.client import CueAPI
    from cueapi.worker.engine import Engine

_BESIDES_SLOTS = 4  # heartbeats, the spool, and handlers that use the client

F = TypeVar("F", bound=Callable[..., Any])


class Worker:
    """Claims executions of worker cues and runs the handlers of their tasks.

    `api_key` and `base_url` as for CueAPI. `worker_id` is the host's name by default.
    `concurrency` is how many handlers run at once. A crash costs at most `lease_seconds`
    (10 to 3,600): then another worker may claim what this one held. `drain` is how many seconds
    running handlers have when the worker is told to stop.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        worker_id: str | None = None,
        concurrency: int = 4,
        lease_seconds: int = 60,
        wait_seconds: int = 20,
        poll_interval: float = 5.0,
        heartbeat_interval: float = 30.0,
        drain: float = 30.0,
        client: CueAPI | None = None,
        spool: Spool | None = None,
    ) -> None:
        self.worker_id = worker_id or socket.gethostname()
        self.concurrency = concurrency
        self.lease_seconds = lease_seconds
        self.wait_seconds = wait_seconds
        self.poll_interval = poll_interval
        self.heartbeat_interval = heartbeat_interval
        self.drain = drain
        self.handlers: dict[str, Handler] = {}
        self._api_key = api_key
        self._base_url = base_url
        self._client = client
        self._spool = spool or NoSpool()
        self._engine: Engine | None = None

    def handler(self, task: str = ANY_TASK, *, concurrency: int | None = None) -> Callable[[F], F]:
        """Make the decorated function the handler of a task; of every task without a name.

        At most `concurrency` of its runs go on at once, within the worker's own bound.

        It may be async. It takes the payload, or a parameter `ctx` (see Context), or both. None, a
        dict, a text or an Outcome is success, an exception is failure, Retry does it again.
        """

        def decorate(function: F) -> F:
            self.add(task, function, concurrency=concurrency)
            return function

        return decorate

    task = handler

    def add(
        self, task: str, function: Callable[..., Any], *, concurrency: int | None = None
    ) -> None:
        """Make a function the handler of a task. Raises ValueError if there is one already."""
        if task in self.handlers:
            raise ValueError(f"there is a handler of {task!r} already")
        self.handlers[task] = Handler(task, function, concurrency)

    def start(self, *, signals: bool = True) -> bool:
        """Work until SIGTERM, SIGINT or `stop`; false if jobs had to be let go.

        The first signal lets running handlers finish, a second one does not wait for them.
        `signals` false leaves the process's signal handlers alone; so does any thread but the
        main one. Raises ValueError without handlers or key, AuthenticationError if the server
        does not know the key.
        """
        self._engine = engine = self._build()
        caught = signals and current_thread() is main_thread()
        with _stopping_at_signals(engine.stop) if caught else nullcontext():
            return engine.run()

    def stop(self) -> None:
        """Claim no more; `start` returns when running handlers are done. Safe in any thread."""
        if self._engine is not None:
            self._engine.stop()

    def run_once(
        self,
        payload: Mapping[str, Any] | None = None,
        *,
        task: str | None = None,
        execution_id: str = "00000000-0000-4000-8000-000000000000",
        attempt: int = 1,
    ) -> Outcome | Retry:
        """Run the handler for a payload here and now, without any server: for tests.

        The task is the payload's unless given; with one handler none is needed. Raises KeyError
        if there is no handler.
        """
        payload = payload or {}
        named = task or payload.get("task")
        if named is None and len(self.handlers) == 1:
            (named,) = self.handlers
        handler = self.handlers.get(str(named)) or self.handlers[ANY_TASK]
        job = Job(execution_id, payload, task=named, attempt=attempt)
        return handler.run(Context(job, self.worker_id), LoopThread())

    def _build(self) -> Engine:
        from cueapi.client import CueAPI
        from cueapi.worker.engine import Engine, EngineSettings

        if not self.handlers:
            raise ValueError("a worker needs a handler: decorate one with @worker.handler(task)")
        client = self._client or CueAPI(
            self._api_key,
            base_url=self._base_url,
            connections=self.concurrency + _BESIDES_SLOTS,
        )
        settings = EngineSettings(
            worker_id=self.worker_id,
            concurrency=self.concurrency,
            lease_seconds=self.lease_seconds,
            wait_seconds=self.wait_seconds,
            poll_interval=self.poll_interval,
            heartbeat_interval=self.heartbeat_interval,
            drain=self.drain,
        )
        return Engine(client, self.handlers, settings, self._spool)


@contextmanager
def _stopping_at_signals(stop: Callable[[], None]) -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT)
    # In a thread, because the main one may be inside the very lock that stopping needs.
    before = [signal.signal(n, lambda *_: Thread(target=stop).start()) for n in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
