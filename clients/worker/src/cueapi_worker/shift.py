"""One run of the engine with one configuration, until it is replaced or stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from time import monotonic

import httpx
from cueapi import AuthenticationError, CueAPI
from cueapi.worker import Context, Outcome
from cueapi.worker.engine import Engine, EngineSettings
from cueapi.worker.handlers import Handler as EngineHandler

from cueapi_worker import __version__
from cueapi_worker.access import Access
from cueapi_worker.command import Account
from cueapi_worker.commands import Commands
from cueapi_worker.config import Config
from cueapi_worker.metrics import Metrics
from cueapi_worker.spool import DiskSpool

_log = logging.getLogger("cueapi.worker")
_LEASE_SECONDS = 60
# Who stops a shift decides how long it may take: the engine's own bound must not come first.
_UNBOUNDED_DRAIN = 86_400.0 * 365


@dataclass(frozen=True)
class Ended:
    """A shift is over. `refused` is the API's answer to a key that does not count any more."""

    shift: Shift
    refused: AuthenticationError | None = None


class Shift:
    """Claims and works in threads of its own, and tells `on_end` when it is over."""

    def __init__(
        self,
        config: Config,
        access: Access,
        spool: DiskSpool,
        metrics: Metrics,
        on_end: Callable[[Ended], None],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.config = config
        self._on_end = on_end
        self._retired = False
        self._stopped = False
        self._metrics = metrics
        connections = 2 * config.max_concurrent + len(config.handlers)
        # A hook and no transport of our own, because with one httpx ignores the users' proxies.
        self._http = httpx.Client(
            transport=transport,
            limits=_limits(connections),
            event_hooks={"response": [lambda answer: metrics.api_answered(answer.status_code)]},
        )
        client = CueAPI(
            access.key(),
            base_url=access.origin,
            http_client=self._http,
            headers={"User-Agent": f"cueapi-worker/{__version__}"},
        )
        self._commands = Commands(Account(config.worker_id, access.key(), access.origin))
        handlers = {
            task: EngineHandler(
                task, self._counted(task, self._commands.handler(handler)), handler.concurrency
            )
            for task, handler in config.handlers.items()
        }
        self._engine = Engine(client, handlers, _settings(config), spool)

    @property
    def running(self) -> int:
        """How many jobs are being worked on."""
        return len(self._engine.running)

    def start(self) -> None:
        """Begin to claim work."""
        Thread(target=self._run, name="cueapi-shift", daemon=True).start()

    def stop(self) -> None:
        """Claim no more; called again, do not wait for running jobs either."""
        first, self._stopped = not self._stopped, True
        if not (first and self._retired):  # who has retired claims no more already
            self._engine.stop()

    def retire(self) -> None:
        """Claim no more, and be over when all is done, also what is being claimed now."""
        if not self._retired:  # each reload retires all shifts before it
            self._retired = True
            self._engine.retire()

    def wait_until_commands_end(self, seconds: float) -> bool:
        """Wait until no command runs any more; false if some still do after so long."""
        return self._commands.wait_until_none_runs(seconds)

    def _run(self) -> None:
        refused: AuthenticationError | None = None
        try:
            if self._engine.run() and self._retired:
                self._http.close()
        except AuthenticationError as error:
            refused = error
        except Exception:
            _log.exception("the engine broke")
        self._on_end(Ended(self, refused))

    def _counted(
        self, task: str, handle: Callable[[Context], Outcome]
    ) -> Callable[[Context], Outcome]:
        def counted(ctx: Context) -> Outcome:
            began = monotonic()
            outcome = handle(ctx)
            result = "lost" if ctx.cancelled else "success" if outcome.success else "failure"
            self._metrics.job_ended(task, result, monotonic() - began)
            return outcome

        return counted


def _settings(config: Config) -> EngineSettings:
    return EngineSettings(
        worker_id=config.worker_id,
        concurrency=config.max_concurrent,
        lease_seconds=config.lease_seconds or _LEASE_SECONDS,
        poll_interval=config.poll_interval,
        heartbeat_interval=config.heartbeat_interval,
        drain=_UNBOUNDED_DRAIN,
    )


def _limits(connections: int) -> httpx.Limits:
    return httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
