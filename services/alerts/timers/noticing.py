"""What an account is told that is about no cue: workers that fall silent, months used up."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import Gauge

from libs.events.log import PostgresLog
from libs.events.timers import Look
from libs.runtime.clock import monotonic
from libs.runtime.postgres import Database
from libs.runtime.sampling import note_due
from services.alerts import queries
from services.alerts.tables import notifications

LOOK_SECONDS = 15.0
SILENCE = timedelta(seconds=300)

BACKLOG = Gauge(
    "cueapi_notifications_due",
    "Notifications that are due and not told yet, 10000 at most. Sampled",
)


class NoticeAccounts:
    """Looks now and then; many replicas may, for each thing is written down once."""

    def __init__(self, log: PostgresLog) -> None:
        self._log = log
        self._looked_at = float("-inf")

    async def run_once(self) -> Look:
        """Look, if the last look is long enough ago."""
        now = monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return Look(taken=0)
        self._looked_at = now
        async with self._log.transaction() as unit:
            told = await queries.graces(unit) + await queries.silent_workers(unit, SILENCE)
            await notifications.add(unit, told)
        return Look(taken=len(told))


async def sample(database: Database) -> None:
    """Read into the metrics how many notifications wait, and for how long."""
    count, age = await notifications.backlog(database)
    BACKLOG.set(count)
    note_due("notifications", age)
