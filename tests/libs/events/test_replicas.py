"""Streams on a cluster of three servers: one of them may go, and nobody notices."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from sysconfig import get_path

import pytest
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from deploy.local.ports import LOOPBACK, free_port
from deploy.local.waiting import until
from libs.events.bus import Bus
from libs.events.envelope import encode
from libs.events.provision import provision
from libs.events.subjects import CONSUMERS, EVENTS, STREAMS, event_subject
from tests.libs.events.receiving import notice_of

pytestmark = pytest.mark.integration

READY_SECONDS = 30.0


class Server:
    """One nats-server of three."""

    def __init__(self, number: int, port: int, routes: list[int], folder: Path) -> None:
        self.name, self.url = f"nats-{number}", f"nats://{LOOPBACK}:{port}"
        urls = ", ".join(f'"nats://{LOOPBACK}:{route}"' for route in routes)
        config = folder / f"{self.name}.conf"
        config.write_text(
            f'server_name: {self.name}\nlisten: "{LOOPBACK}:{port}"\n'
            f'jetstream {{ store_dir: "{folder / self.name}" }}\n'
            f'cluster {{ name: c, listen: "{LOOPBACK}:{routes[number]}", routes: [{urls}] }}\n'
        )
        self._process = subprocess.Popen(
            [f"{get_path('scripts')}/nats-server", "--config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[Server]]:
    """Three servers that have found each other, or soon will."""
    routes = [free_port() for _ in range(3)]
    servers = [Server(number, free_port(), routes, tmp_path) for number in range(3)]
    yield servers
    for server in servers:
        server.kill()


async def provisioned(bus: Bus, *, replicas: int) -> None:
    """Provision as soon as the cluster has a leader."""

    async def made() -> bool:
        try:
            await provision(bus.jetstream, replicas=replicas)
        except (NatsError, JetStreamError, TimeoutError):
            return False
        return True

    await until(made, READY_SECONDS)


async def test_a_server_of_three_may_go(cluster: list[Server]) -> None:
    bus = Bus(cluster[0].url, "test")
    await bus.connect()
    await provisioned(bus, replicas=3)
    for stream in STREAMS:
        info = await bus.jetstream.stream_info(stream.name)
        assert info.config.num_replicas == 3
    subject = event_subject("DeliveryFailed")
    await bus.jetstream.publish(subject, encode([notice_of("DeliveryFailed")]))
    peers = (await bus.jetstream.stream_info(EVENTS)).cluster
    assert peers is not None
    # Not the server that we talk to: that a client changes servers is for the client's tests.
    gone = next(s for s in cluster[1:] if peers.leader in (s.name, cluster[0].name))
    gone.kill()

    async def goes_on() -> bool:
        try:
            await bus.jetstream.publish(subject, encode([notice_of("DeliveryFailed")]), timeout=2)
        except (NatsError, JetStreamError, TimeoutError):
            return False
        return True

    await until(goes_on, READY_SECONDS)
    assert (await bus.jetstream.stream_info(EVENTS)).state.messages >= 2
    await bus.close()


async def test_streams_of_one_server_grow_onto_three(cluster: list[Server]) -> None:
    bus = Bus(cluster[0].url, "test")
    await bus.connect()
    await provisioned(bus, replicas=1)
    await provisioned(bus, replicas=3)
    for stream in STREAMS:
        assert (await bus.jetstream.stream_info(stream.name)).config.num_replicas == 3
    for consumer in CONSUMERS:
        assert await bus.jetstream.consumer_info(consumer.stream, consumer.name)
    assert await provision(bus.jetstream, replicas=3) == []
    await asyncio.wait_for(bus.close(), 10)
