"""`python -m libs.events migrate|provision|rebuild|verify`: care of the log and the broker.

`python -m libs.events asyncapi` prints the document of the messages.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import structlog

from libs.events import asyncapi
from libs.events.bus import Bus
from libs.events.migrate import migrate
from libs.events.provision import provision
from libs.events.rebuild import Difference, rebuild, verify
from libs.runtime.logging import configure_logging
from libs.runtime.postgres import Database
from libs.runtime.settings import Settings

log = structlog.get_logger()

WAIT_SECONDS = 30.0


def main() -> int:
    """Run one command; the exit code is 0 when all is well."""
    parser = argparse.ArgumentParser(prog="python -m libs.events", description=__doc__)
    parser.add_argument(
        "command", choices=("asyncapi", "migrate", "provision", "rebuild", "verify")
    )
    command = parser.parse_args().command
    if command == "asyncapi":
        sys.stdout.write(asyncapi.as_json())
        return 0
    settings = Settings()
    configure_logging("events", json=settings.log_format == "json", level=settings.log_level)
    if command == "migrate":
        migrate(settings.database_url)
        log.info("the database has this release's schema")
        return 0
    return asyncio.run(_run(command, settings))


async def _run(command: str, settings: Settings) -> int:
    if command == "provision":
        return await _provision(settings)
    database = Database(settings.database_url, max_connections=2, name="cueapi-events")
    await database.open()
    try:
        if command == "rebuild":
            log.info("rows were written from the log", rows=await rebuild(database))
            return 0
        return _report(await verify(database))
    finally:
        await database.close()


async def _provision(settings: Settings) -> int:
    bus = Bus(settings.nats_url, "provision")
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await bus.connect()
            made = await provision(bus.jetstream, replicas=settings.stream_replicas)
    except TimeoutError:
        log.error("nats-server does not answer; is it running where NATS_URL says?")
        return 1
    finally:
        await bus.close()
    log.info("streams and consumers are there", made=made)
    return 0


def _report(differences: list[Difference]) -> int:
    for difference in differences[:20]:
        log.error("a row is not what its events say", **difference.as_fields())
    log.info("rows were compared with the log", different=len(differences))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
