"""The attempts on the wire, and their results on record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Counter, Gauge, Histogram

from libs.runtime.clock import monotonic
from libs.runtime.finishing import to_its_end
from libs.runtime.health import Health
from libs.runtime.ids import jittered
from libs.runtime.postgres import Conflict, Unavailable
from libs.runtime.telemetry import exemplar_of, trace_id_of
from services.dispatcher.adapters.webhook import Attempt, Sent, Webhook
from services.dispatcher.decider.attempts import Acknowledged, NotAcknowledged
from services.dispatcher.handlers.results import Finished, ResultDesk
from services.dispatcher.rules.circuit import Circuits, verdict_of
from services.dispatcher.rules.slots import Slots

log = structlog.get_logger()

GATHER_SECONDS = 0.003
TOGETHER = 64

ATTEMPTS = Counter(
    "cueapi_attempts_total",
    "Attempts that ended: acknowledged, or the class of what went wrong",
    ["result"],
)
DURATION = Histogram(
    "cueapi_delivery_duration_seconds",
    "From sending an attempt to its result: mostly the receiver's time",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
OPEN_CIRCUITS = Gauge("cueapi_circuits_open", "Destinations that are slowed down")
IN_FLIGHT = Gauge("cueapi_attempts_in_flight", "Attempts on the wire")


class Deliveries:
    """The attempts on the wire, and the loop that records their results together."""

    name = "record results"

    def __init__(
        self,
        webhook: Webhook,
        desk: ResultDesk,
        slots: Slots,
        circuits: Circuits,
        health: Health,
        *,
        on_free: Callable[[], None],
        on_appended: Callable[[], Awaitable[None]],
    ) -> None:
        self._webhook = webhook
        self._desk = desk
        self._slots = slots
        self._circuits = circuits
        self._health = health
        self._on_free = on_free
        self._on_appended = on_appended
        self._sending: set[asyncio.Task[None]] = set()
        self._finished: list[Finished] = []
        self._ready = asyncio.Event()

    def start(self, attempt: Attempt) -> None:
        """Send an attempt in the background; its slot is taken already."""
        task = asyncio.create_task(self._send(attempt))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def run(self) -> None:
        """Record results until cancelled; then wait for what is on the wire, and record that."""
        try:
            while True:
                self._health.beat(self.name)
                await self._wait()
                # A result that was taken out must get on record, or its POST is made again.
                await to_its_end(self.record_finished())
        except asyncio.CancelledError:
            await self._drain()
            raise

    async def record_finished(self) -> int:
        """Record the results that are there, `TOGETHER` at most; give how many.

        Waits out Postgres being away.
        """
        finished, self._finished = self._finished[:TOGETHER], self._finished[TOGETHER:]
        if not finished:
            return 0
        if self._finished:
            self._ready.set()
        while True:
            try:
                await self._desk.record(finished)
                break
            except (Unavailable, Conflict) as error:
                self._health.beat(self.name)
                log.warning("results wait", count=len(finished), error=str(error))
                await asyncio.sleep(jittered(0.5))
        for attempt, _ in finished:
            host = self._webhook.host_of(attempt.settings.callback.url)
            self._slots.release(attempt.facts.account_id, host)
        IN_FLIGHT.set(self._slots.taken)
        self._on_free()
        await self._on_appended()
        return len(finished)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self._ready.wait()
        except TimeoutError:
            return
        self._ready.clear()
        await asyncio.sleep(GATHER_SECONDS)

    async def _send(self, attempt: Attempt) -> None:
        began = monotonic()
        sent = await self._webhook.send(attempt)
        now = monotonic()
        DURATION.observe(now - began, exemplar_of(attempt.facts.traceparent))
        self._learn(attempt, sent, began, now)
        _tell(attempt, sent)
        self._finish(attempt, sent)

    def _learn(self, attempt: Attempt, sent: Sent, began: float, now: float) -> None:
        result = sent.result
        error = result.error if isinstance(result, NotAcknowledged) else None
        verdict = verdict_of(result.http_status, error)
        host = self._webhook.host_of(attempt.settings.callback.url)
        self._circuits.end(
            attempt.facts.account_id, host, verdict, began, now, spread=jittered(1.0)
        )
        OPEN_CIRCUITS.set(self._circuits.open)

    def _finish(self, attempt: Attempt, sent: Sent) -> None:
        self._finished.append((attempt, sent))
        self._ready.set()

    async def _drain(self) -> None:
        while self._sending or self._finished:
            if self._sending:
                await asyncio.wait(set(self._sending), return_when=asyncio.FIRST_COMPLETED)
            await self.record_finished()


def _tell(attempt: Attempt, sent: Sent) -> None:
    match sent.result:
        case Acknowledged():
            ATTEMPTS.labels("acknowledged").inc()
        case NotAcknowledged(error=error, http_status=http_status):
            ATTEMPTS.labels(error).inc()
            traceparent = attempt.facts.traceparent
            log.info(
                "an attempt failed",
                execution_id=attempt.facts.id,
                attempt=attempt.epoch,
                error=error,
                http_status=http_status,
                trace_id=trace_id_of(traceparent) if traceparent else None,
            )
