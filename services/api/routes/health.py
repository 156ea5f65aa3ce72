"""Whether the service works: for people and for monitors (contract §12)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import NamedTuple, TypeVar

import msgspec
import psycopg
import structlog
from starlette.responses import Response

from libs.runtime.clock import utc_now
from libs.runtime.postgres import Unavailable
from services.api.queries.health import (
    Poller,
    Queue,
    count_active_workers,
    read_poller,
    read_queue,
)
from services.api.routes.call import Call
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.ports import Ports
from services.api.routes.shapes import NoBody, NoQuery
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time

log = structlog.get_logger()

T = TypeVar("T")

VERSION = "1.0.0"
STALE_SECONDS = 30
READ_SECONDS = 2.0
PATIENCE_SECONDS = 5.0
"""How much older than fresh a reading may be that `GET /status` gives while the next is read."""

health = Operations("Health")


class PollerWire(Wire):
    """The scheduler's last look at the cues that are due."""

    last_run: Timestamp | None
    seconds_ago: int | None
    cues_last_cycle: int | None
    cycle_duration_ms: int | None


class WorkersWire(Wire):
    """Customers' workers."""

    active_count: int


class QueueWire(Wire):
    """Work that waits."""

    pending_outbox: int
    stale_executions: int
    pending_retries: int
    pending_worker_claims: int


class HealthWire(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How the service is; `queue` is absent when it cannot be read."""

    status: str
    version: str
    timestamp: Timestamp
    services: dict[str, str]
    poller: PollerWire
    workers: WorkersWire
    queue: QueueWire | None = None


class StatusWire(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How the service is, in a word; and why, when it is not healthy."""

    status: str
    reason: str | None = None


class _Reading(NamedTuple):
    """What could be read; None where it could not."""

    active_workers: int | None
    poller: Poller | None
    queue: Queue | None


@health.add(
    "GET",
    "/health",
    body=NoBody,
    query=NoQuery,
    answers={200: HealthWire},
    access=Access.OPEN,
)
async def get_health(call: Call[NoBody, NoQuery]) -> Response:
    """Tell how the service and what it stands on are; 200 even when degraded.

    Everything is read at most once a second, and waited for two seconds at most.
    """
    reading = await call.ports.vitals.get(lambda: _read(call.ports))
    services = _services(call.ports, reading)
    healthy = all(state in ("ok", "none") for state in services.values())
    return answer(
        HealthWire(
            status="healthy" if healthy else "degraded",
            version=VERSION,
            timestamp=wire_time(utc_now()),
            services=services,
            poller=_poller(reading.poller),
            workers=WorkersWire(active_count=reading.active_workers or 0),
            queue=QueueWire(**reading.queue._asdict()) if reading.queue else None,
        )
    )


@health.add(
    "GET",
    "/status",
    body=NoBody,
    query=NoQuery,
    answers={200: StatusWire, 503: StatusWire},
    access=Access.OPEN,
)
async def get_status(call: Call[NoBody, NoQuery]) -> Response:
    """Tell in a word how the service is; 503 when it is down.

    Answers from the latest reading, a few seconds old at most, so it may be asked for often.
    """
    reading = await call.ports.vitals.get(lambda: _read(call.ports), PATIENCE_SECONDS)
    services = _services(call.ports, reading)
    if services["postgres"] != "ok":
        return answer(StatusWire(status="down", reason="postgres unreachable"), 503)
    if services["broker"] != "ok":
        return answer(StatusWire(status="degraded", reason="broker unreachable"))
    if services["poller"] != "ok":
        return answer(StatusWire(status="degraded", reason=f"poller {services['poller']}"))
    return answer(StatusWire(status="healthy"))


def _services(ports: Ports, reading: _Reading) -> dict[str, str]:
    workers, poller = reading.active_workers, reading.poller
    if poller is None:
        scheduler = "unknown"
    else:
        scheduler = "stale" if poller.seconds_ago > STALE_SECONDS else "ok"
    return {
        "postgres": "error" if workers is None else "ok",
        "broker": "ok" if ports.bus.connected else "error",
        "poller": scheduler,
        "worker": "unknown" if workers is None else "ok" if workers else "none",
    }


def _poller(poller: Poller | None) -> PollerWire:
    if poller is None:
        return PollerWire(
            last_run=None, seconds_ago=None, cues_last_cycle=None, cycle_duration_ms=None
        )
    return PollerWire(
        last_run=wire_time(poller.last_run),
        seconds_ago=int(poller.seconds_ago),
        cues_last_cycle=poller.cues_last_cycle,
        cycle_duration_ms=poller.cycle_duration_ms,
    )


async def _read(ports: Ports) -> _Reading:
    return _Reading(
        *await asyncio.gather(
            _or_none(count_active_workers(ports.store, ports.rules.worker_stale_seconds)),
            _or_none(read_poller(ports.store)),
            _or_none(read_queue(ports.store)),
        )
    )


async def _or_none(reading: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await reading
    except (Unavailable, TimeoutError, psycopg.Error) as error:
        log.warning("health cannot be read", error=repr(error))
        return None
