"""The daemon: shifts that come and go with the configuration, until a signal ends it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic

import httpx
from cueapi import AuthenticationError

from cueapi_worker.access import Access, access_of
from cueapi_worker.config import Config
from cueapi_worker.errors import ConfigError, WorkerError
from cueapi_worker.health import Page, json_page, serving
from cueapi_worker.metrics import Metrics
from cueapi_worker.process import KILL_AFTER
from cueapi_worker.shift import Ended, Shift
from cueapi_worker.spool import DiskSpool
from cueapi_worker.state import spool_folder

_log = logging.getLogger("cueapi.worker")
# The API is silent for as long as a claim waits; beyond that it is likely gone.
_SILENCE = 90.0


@dataclass(frozen=True)
class Stop:
    """Finish what runs, and end; a second one does not wait."""


@dataclass(frozen=True)
class Reload:
    """Read the configuration again."""


Message = Stop | Reload | Ended
Recover = Callable[[Config, AuthenticationError], Access]
"""Gets a new key after a 401. Raises WorkerError if that can't be done."""


class Daemon:
    """Works by the configuration that `read` gives; `run` blocks until `Stop` is told."""

    def __init__(
        self,
        read: Callable[[], Config],
        environ: Mapping[str, str],
        recover: Recover,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._read = read
        self._environ = environ
        self._recover = recover
        self._transport = transport
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._metrics = Metrics()
        self._shifts: list[Shift] = []
        self._stopping = False

    def tell(self, message: Message) -> None:
        """Tell the daemon something, from any thread or signal handler."""
        self._inbox.put(message)

    def run(self) -> bool:
        """Work until told to stop; false if jobs had to be let go. Raises WorkerError."""
        config = self._read()
        self._spool = DiskSpool(spool_folder(config, self._environ))
        with ExitStack() as open_:
            if config.listen:
                port = open_.enter_context(serving(config.listen, self._pages(config)))
                _log.info("serving /healthz on port %d", port)
            self._begin(config, access_of(config, self._environ))
            while not self._stopping:
                self._hear(self._inbox.get())
            return self._drain(config.drain)

    def _hear(self, message: Message) -> None:
        match message:
            case Stop():
                self._stopping = True
            case Reload():
                self._reload()
            case Ended(shift, refused):
                self._shifts.remove(shift)
                if refused is not None:
                    self._begin(shift.config, self._recover(shift.config, refused))
                elif not self._shifts:
                    raise WorkerError("the worker's engine ended", "the log says why")

    def _begin(self, config: Config, access: Access) -> None:
        shift = Shift(config, access, self._spool, self._metrics, self.tell, self._transport)
        self._shifts.append(shift)
        shift.start()
        _log.info("%s works on %s", config.worker_id, ", ".join(config.handlers))

    def _reload(self) -> None:
        try:
            config = self._read()
            access = access_of(config, self._environ)
            access.key()
        except (ConfigError, WorkerError) as error:
            _log.error("the configuration stays as it was: %s", error)
            return
        before = [*self._shifts]
        self._begin(config, access)
        for shift in before:
            shift.retire()

    def _drain(self, seconds: float) -> bool:
        _log.info("stopping: %d jobs have %g s to end", self._running(), seconds)
        left = [*self._shifts]
        for shift in left:
            shift.stop()
        deadline = monotonic() + seconds
        while self._shifts:
            try:
                message = self._inbox.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                message = Stop()
            if isinstance(message, Ended):
                self._shifts.remove(message.shift)
            elif isinstance(message, Stop):
                return self._let_go()
        return True

    def _let_go(self) -> bool:
        for shift in self._shifts:
            shift.stop()
        for shift in self._shifts:
            shift.wait_until_commands_end(KILL_AFTER + 5)
        return False

    def _running(self) -> int:
        return sum(shift.running for shift in [*self._shifts])

    def _pages(self, config: Config) -> dict[str, Callable[[], Page]]:
        pages = {"/healthz": lambda: self._health(config.worker_id)}
        if config.metrics:
            pages["/metrics"] = self._told_metrics
        return pages

    def _health(self, worker_id: str) -> Page:
        silence = self._metrics.seconds_since_answer
        reached = silence is not None and silence <= _SILENCE
        status = "stopping" if self._stopping else "ok" if reached else "unreachable"
        document = {
            "status": status,
            "worker_id": worker_id,
            "running": self._running(),
            "spooled": self._spool.count(),
            "seconds_since_answer": None if silence is None else round(silence, 3),
        }
        return json_page(200 if status == "ok" else 503, document)

    def _told_metrics(self) -> Page:
        text = self._metrics.text(self._running(), self._spool.count())
        return Page(200, "text/plain; version=0.0.4", text)


@contextmanager
def hearing_signals(daemon: Daemon) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop the daemon, and SIGHUP reload it."""
    messages: dict[signal.Signals, Message] = {
        signal.SIGTERM: Stop(),
        signal.SIGINT: Stop(),
        signal.SIGHUP: Reload(),
    }
    before = {
        number: signal.signal(number, lambda got, _: daemon.tell(messages[signal.Signals(got)]))
        for number in messages
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
