"""A real nats-server with JetStream."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest

from deploy.local.errors import StackError
from deploy.local.nats import LocalNats, configuration

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalNats]:
    server = LocalNats(tmp_path / "a store")
    yield server
    await server.stop()


async def streams(server: LocalNats) -> list[tuple[str | None, int]]:
    client = await nats.connect(server.url)
    infos = await client.jetstream().streams_info()
    await client.close()
    return [(info.config.name, info.state.messages) for info in infos]


async def publish(server: LocalNats) -> None:
    client = await nats.connect(server.url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="S", subjects=["s"])
    await jetstream.publish("s", b"hello")
    await client.close()


async def test_messages_outlive_a_stop_and_a_kill_at_the_same_address(server: LocalNats) -> None:
    await server.start()
    url = server.url
    await publish(server)
    await server.kill()
    await server.start()
    assert await streams(server) == [("S", 1)]
    await server.stop()
    await server.start()
    assert server.url == url
    assert await streams(server) == [("S", 1)]


async def test_a_wipe_leaves_nothing(server: LocalNats) -> None:
    await server.start()
    await publish(server)
    await server.stop()
    server.wipe()
    await server.start()
    assert await streams(server) == []


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} is taken"):
            await LocalNats(tmp_path, port=port).start()


async def test_a_store_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="cannot be used"):
        await LocalNats(tmp_path / "file").start()


async def test_durations_are_quoted() -> None:
    for line in configuration(Path("/store"), 1, 2).splitlines():
        if any(word in line for word in ("interval", "deadline")):
            assert line.split(": ")[1].startswith('"')
