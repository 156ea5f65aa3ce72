"""Real Postgres and nats-server: in containers where a Docker daemon answers, else embedded.

Tests take them through the fixtures in `conftest.py`.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import urlsplit

import psycopg

from deploy.local.nats import LocalNats
from deploy.local.postgres import LocalPostgres


@cache
def docker_answers() -> bool:
    """Say whether a Docker daemon can run containers for us."""
    # By hand, because the clients of docker and httpx leak a socket where there is no daemon.
    address = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    family = socket.AF_UNIX if address.scheme == "unix" else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(3)
        try:
            probe.connect(address.path or (address.hostname, address.port))
            probe.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return b" 200 " in probe.recv(100)
        except OSError:
            return False


class PostgresServer(Protocol):
    """A running Postgres."""

    def dsn_of(self, database: str) -> str:
        """Return the URL of a database of this server."""
        ...


class NatsServer(Protocol):
    """A running nats-server with JetStream, which tests may stop, wipe and start again."""

    @property
    def url(self) -> str:
        """The URL that clients connect to."""
        ...

    async def start(self) -> None:
        """Start the server on the store that it had, and wait until it answers."""
        ...

    async def stop(self) -> None:
        """Stop the server; its store stays."""
        ...

    async def kill(self) -> None:
        """Kill the server; its store stays."""
        ...

    def wipe(self) -> None:
        """Throw all streams, consumers and messages away. The server must not be running."""
        ...


@asynccontextmanager
async def running_postgres() -> AsyncIterator[PostgresServer]:
    """Run a Postgres server of one's own, without data."""
    if docker_answers():
        # Here, because loading docker's client takes half a second that few runs need.
        from tests.containers import ContainerPostgres

        container = ContainerPostgres()
        try:
            await container.start()
            yield container
        finally:
            await container.stop()
        return
    with TemporaryDirectory(prefix="cueapi-pg-") as folder:
        server = LocalPostgres(Path(folder) / "data", fsync=False)
        try:
            await server.start()
            yield server
        finally:
            await server.kill()


@asynccontextmanager
async def running_nats() -> AsyncIterator[NatsServer]:
    """Run a nats-server of one's own, without streams."""
    if docker_answers():
        from tests.containers import ContainerNats

        container = ContainerNats()
        try:
            await container.start()
            yield container
        finally:
            await container.remove()
        return
    with TemporaryDirectory(prefix="cueapi-nats-") as folder:
        server = LocalNats(Path(folder))
        try:
            await server.start()
            yield server
        finally:
            await server.kill()


@asynccontextmanager
async def fresh_database(server: PostgresServer, template: str = "template1") -> AsyncIterator[str]:
    """Make a database like `template`, give its URL, and drop it at the end."""
    name = f"test_{secrets.token_hex(6)}"
    await _run(server, f"create database {name} template {template}")
    try:
        yield server.dsn_of(name)
    finally:
        await _run(server, f"drop database {name} with (force)")


def name_of(url: str) -> str:
    """Give the name of the database in a URL."""
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


async def _run(server: PostgresServer, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(
        server.dsn_of("postgres"), autocommit=True, connect_timeout=10
    ) as connection:
        await connection.execute(statement)
