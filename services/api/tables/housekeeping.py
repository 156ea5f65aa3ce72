"""What the api forgets when its time is over: keys, sign-ins, echoes."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from libs.runtime.health import Health
from libs.runtime.ids import jittered
from libs.runtime.postgres import Unavailable

log = structlog.get_logger()

EVERY_SECONDS = 600.0
BEAT_SECONDS = 10.0

# Contract §4 "Key": erased 30 days after its end. A code's one-time tokens die with it.
_FORGET = (
    "delete from api_keys where revoked_at < now() - interval '30 days'",
    "delete from device_codes where expires_at < now() - interval '1 hour'",
    "delete from echoes where received_at < now() - interval '5 minutes'",
)


class Store(Protocol):
    """What is asked of the database here."""

    async def execute(self, sql: str) -> int:
        """Run one statement; gives the number of rows."""
        ...


class Housekeeping:
    """A part of the process; replicas may do it at once."""

    name = "housekeeping"

    def __init__(self, database: Store, health: Health) -> None:
        self._database = database
        self._health = health

    async def run(self) -> None:
        """Forget every ten minutes until cancelled."""
        while True:
            try:
                await self.run_once()
            except Unavailable as error:
                log.warning("housekeeping waits", error=str(error))
            wait = jittered(EVERY_SECONDS)
            while wait > 0:
                self._health.beat(self.name)
                await asyncio.sleep(min(wait, BEAT_SECONDS))
                wait -= BEAT_SECONDS

    async def run_once(self) -> int:
        """Forget what is over; give how many rows."""
        return sum([await self._database.execute(statement) for statement in _FORGET])
