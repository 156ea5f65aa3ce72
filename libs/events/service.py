"""What every service's process is made of; a composition root lists only its own parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import uvloop

from libs.events.base import Value
from libs.events.bus import Bus
from libs.events.log import PostgresLog
from libs.events.receive import Receiver
from libs.runtime.collector import settle_memory
from libs.runtime.health import Health, HealthServer
from libs.runtime.logging import configure_logging
from libs.runtime.postgres import Database
from libs.runtime.settings import Settings
from libs.runtime.supervisor import Part, supervise
from libs.runtime.telemetry import configure_telemetry


class Resources(Value):
    """What a process holds: its database, log, broker connection and health."""

    database: Database
    log: PostgresLog
    bus: Bus
    receiver: Receiver
    health: Health


def run_service(
    name: str, settings: Settings, assemble: Callable[[Resources], Sequence[Part]]
) -> int:
    """Run one service until it is told to stop; give the exit code.

    `assemble` gives the service's own parts, in the order in which they start; the health server
    starts before them and the bus after, so that no message arrives before its handler is ready.
    """
    configure_logging(name, json=settings.log_format == "json", level=settings.log_level)
    finish = configure_telemetry(name, settings.otlp_endpoint, settings.trace_ratio)
    try:
        return uvloop.run(_run(name, settings, assemble))
    finally:
        finish()


async def _run(
    name: str, settings: Settings, assemble: Callable[[Resources], Sequence[Part]]
) -> int:
    database = Database(
        settings.database_url, max_connections=settings.database_pool, name=f"cueapi-{name}"
    )
    health = Health()
    bus = Bus(settings.nats_url, name)
    resources = Resources(
        database=database,
        log=PostgresLog(database),
        bus=bus,
        receiver=Receiver(bus, database, health),
        health=health,
    )
    health.require("postgres", database.answers)
    await database.open()
    try:
        parts = [
            HealthServer(health, settings.health_host, settings.health_port),
            *assemble(resources),
            resources.receiver,
        ]
        settle_memory()
        return await supervise(parts, health, grace=settings.stop_grace_seconds)
    finally:
        await bus.close()
        await database.close()
