"""What an account is told that is about no cue: workers that fall silent, months used up."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import Gauge

from libs.events.log import PostgresLog
from libs.events.timers import Look
from libs.runtime.clock import monotonic
from services.alerts import queries
from services.alerts.tables import notifications

LOOK_SECONDS = 15.0
SILENCE = timedelta(seconds=300)

BACKLOG = Gauge("cueapi_notifications_due", "Notifications that are due and not told yet")


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
            BACKLOG.set(await notifications.backlog(unit))
        return Look(taken=len(told))
