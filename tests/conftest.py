"""The fixtures that tests of real servers share.

The servers are started once, when a test first wants them. Each test module has a database and a
nats-server of its own, so modules cannot see each other's rows and messages; within a module, tests
keep apart by using fresh ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.events.bus import Bus
from libs.events.log import PostgresLog
from libs.events.migrate import migrate
from libs.events.provision import provision
from libs.runtime.postgres import Database
from tests.servers import (
    NatsServer,
    PostgresServer,
    fresh_database,
    name_of,
    running_nats,
    running_postgres,
)

WHOLE_STACK = ("deploy", "e2e", "faults")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two runners share the tests: one those of the whole stack, a file at a time the rest."""
    for item in items:
        folder, *_ = item.path.relative_to(Path(__file__).parent).parts
        group = "stack" if folder in WHOLE_STACK else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """A running Postgres."""
    async with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
async def migrated(postgres: PostgresServer) -> AsyncIterator[str]:
    """The name of a database with this release's schema, to make others from."""
    async with fresh_database(postgres) as url:
        await asyncio.to_thread(migrate, url)
        yield name_of(url)


@pytest.fixture(scope="module")
async def postgres_url(postgres: PostgresServer, migrated: str) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database."""
    async with fresh_database(postgres, template=migrated) as url:
        yield url


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A pool of connections to the fresh database."""
    pool = Database(postgres_url, name="cueapi-test")
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
def postgres_log(database: Database) -> PostgresLog:
    """The log in the fresh database."""
    return PostgresLog(database)


@pytest.fixture(scope="module")
async def nats() -> AsyncIterator[NatsServer]:
    """A running nats-server with this release's streams and consumers."""
    async with running_nats() as server:
        bus = Bus(server.url, "provision")
        await bus.connect()
        await provision(bus.jetstream)
        await bus.close()
        yield server


@pytest.fixture(scope="module")
def nats_url(nats: NatsServer) -> str:
    """The URL of the running nats-server."""
    return nats.url
