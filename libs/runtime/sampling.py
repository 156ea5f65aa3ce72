"""Numbers that must be asked of the database: read now and then, never while they are scraped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Counter, Gauge

from libs.runtime.clock import monotonic
from libs.runtime.health import Health
from libs.runtime.ids import jittered
from libs.runtime.postgres import Conflict, Unavailable

log = structlog.get_logger()

EVERY_SECONDS = 10.0
SPREAD_SECONDS = 2.0

OLDEST_DUE = Gauge(
    "cueapi_oldest_due_age_seconds",
    "How long the oldest row that is due for a loop has been due; 0 when none is. Sampled",
    ["loop"],
)
SAMPLES = Counter("cueapi_samples_total", "Readings of sampled metrics", ["result"])
SAMPLE_SECONDS = Gauge("cueapi_sample_duration_seconds", "What the last reading took")


class Sampling:
    """A part of a process: reads every ten seconds. Each replica reads, and all read the same.

    So a dashboard takes the greatest of them. `read` sets its gauges; when Postgres is away they
    keep their values, and `cueapi_samples_total{result="failed"}` grows.
    """

    name = "sampling"

    def __init__(self, read: Callable[[], Awaitable[None]], health: Health) -> None:
        self._read = read
        self._health = health

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            self._health.beat(self.name)
            await self.run_once()
            self._health.beat(self.name)  # a slow answer and the pause would be too long together
            await asyncio.sleep(EVERY_SECONDS + jittered(SPREAD_SECONDS))

    async def run_once(self) -> None:
        """Read once; that Postgres is away is counted and waited out."""
        began = monotonic()
        try:
            await self._read()
        except (Unavailable, Conflict) as error:
            SAMPLES.labels("failed").inc()
            log.warning("metrics could not be sampled", error=str(error))
            return
        SAMPLES.labels("read").inc()
        SAMPLE_SECONDS.set(monotonic() - began)


def note_due(loop: str, age: float | None) -> None:
    """Tell how long (in seconds) the oldest row of a loop has been due; None when it has none."""
    OLDEST_DUE.labels(loop).set(max(0.0, age or 0.0))
