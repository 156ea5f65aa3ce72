"""Postgres and nats-server in containers, with the same methods as the embedded ones."""

from __future__ import annotations

import asyncio
import secrets

import psycopg
from testcontainers.core.container import DockerContainer

from deploy.local.ports import LOOPBACK, free_port
from deploy.local.waiting import until

POSTGRES_IMAGE = "postgres:18-alpine"
NATS_IMAGE = "nats:2.15.1-alpine"
READY_SECONDS = 120.0
USER = "cueapi"


class ContainerPostgres:
    """A Postgres server, made for tests: what is committed may be lost with the power."""

    def __init__(self) -> None:
        self._port = free_port()
        self._password = secrets.token_hex(16)
        self._container = (
            DockerContainer(POSTGRES_IMAGE)
            .with_env("POSTGRES_USER", USER)
            .with_env("POSTGRES_PASSWORD", self._password)
            .with_command("postgres -c fsync=off -c full_page_writes=off -c jit=off")
            .with_bind_ports(5432, self._port)
        )

    def dsn_of(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self._port}/{database}"

    async def start(self) -> None:
        """Start the server and wait until it answers."""
        await asyncio.to_thread(self._container.start)
        await until(self._answers, READY_SECONDS)

    async def stop(self) -> None:
        """Throw the server away."""
        await asyncio.to_thread(self._container.stop)

    async def _answers(self) -> bool:
        try:
            url = self.dsn_of("postgres")
            await (await psycopg.AsyncConnection.connect(url, connect_timeout=2)).close()
        except psycopg.OperationalError:
            return False
        return True


class ContainerNats:
    """A nats-server with JetStream, on a port that stays the same for life."""

    def __init__(self) -> None:
        self._port = free_port()
        self._container = self._made()
        self._there = False

    @property
    def url(self) -> str:
        """The URL that clients connect to."""
        return f"nats://{LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Start the server on the store that it had, and wait until it answers."""
        if self._there:
            await asyncio.to_thread(self._container.get_wrapped_container().start)
        else:
            await asyncio.to_thread(self._container.start)
        self._there = True
        await until(self._answers, READY_SECONDS)

    async def stop(self) -> None:
        """Stop the server; its store stays."""
        await asyncio.to_thread(self._container.get_wrapped_container().stop)

    async def kill(self) -> None:
        """Kill the server; its store stays."""
        await asyncio.to_thread(self._container.get_wrapped_container().kill)

    def wipe(self) -> None:
        """Throw all streams, consumers and messages away. The server must not be running."""
        self._container.stop()
        self._container = self._made()
        self._there = False

    async def remove(self) -> None:
        """Throw the server and its store away."""
        if self._there:
            await asyncio.to_thread(self._container.stop)

    def _made(self) -> DockerContainer:
        container = DockerContainer(NATS_IMAGE).with_command("--jetstream")
        return container.with_bind_ports(4222, self._port)

    async def _answers(self) -> bool:
        # By hand: before the server listens, Docker's proxy cuts off whoever connects, and a client
        # of NATS that is cut off then leaks its socket.
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
                try:
                    return (await reader.readline()).startswith(b"INFO ")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
