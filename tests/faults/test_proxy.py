"""The proxy that stands before servers: what it does to bytes, before faults rely on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from deploy.local.ports import LOOPBACK
from libs.runtime.clock import monotonic
from tests.e2e.waiting import eventually
from tests.faults.proxy import Proxy

SECONDS = 5.0

Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Say = Callable[[bytes], Awaitable[Link]]


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy before a server that says everything again."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(1_000):
                writer.write(chunk)
        except ConnectionError:
            pass  # reset, as some tests want it
        finally:
            writer.close()

    async with await asyncio.start_server(echo, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        between = Proxy(lambda: asyncio.open_connection(LOOPBACK, port))
        await between.start()
        yield between
        await between.stop()


@pytest.fixture
async def say(proxy: Proxy) -> AsyncIterator[Say]:
    """Connects to the proxy and says something; the connections end with the test."""
    writers: list[asyncio.StreamWriter] = []

    async def connect(text: bytes) -> Link:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writers.append(writer)
        writer.write(text)
        return reader, writer

    yield connect
    for writer in writers:
        writer.close()
    await asyncio.gather(*(each.wait_closed() for each in writers), return_exceptions=True)


async def heard(reader: asyncio.StreamReader, count: int) -> bytes:
    async with asyncio.timeout(SECONDS):
        return await reader.readexactly(count)


async def test_it_forwards_both_ways_and_adds_its_latency(proxy: Proxy, say: Say) -> None:
    proxy.latency = 0.1
    began = monotonic()
    reader, _ = await say(b"hello")
    assert await heard(reader, 5) == b"hello"
    assert monotonic() - began >= 2 * proxy.latency


async def test_a_half_open_link_stays_open_until_it_is_healed(proxy: Proxy, say: Say) -> None:
    reader, writer = await say(b"before")
    assert await heard(reader, 6) == b"before"
    proxy.dropping = True
    writer.write(b"lost")

    async def swallowed() -> bool | None:
        return proxy.dropped == 1 or None

    await eventually(swallowed, "the chunk is swallowed", SECONDS)
    assert not reader.at_eof()
    proxy.heal()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await heard(reader, 1)
    reader, _ = await say(b"after")
    assert await heard(reader, 5) == b"after"


async def test_it_holds_the_reply_to_what_it_is_told(proxy: Proxy, say: Say) -> None:
    proxy.hold_replies_to = (b"commit",)
    held, _ = await say(b"commit")
    other, _ = await say(b"select")
    assert await heard(other, 6) == b"select"

    async def holds() -> bool | None:
        return proxy.held == 1 or None

    await eventually(holds, "the reply is held", SECONDS)
    assert not held.at_eof()


async def test_a_reset_ends_every_link(proxy: Proxy, say: Say) -> None:
    links = [await say(b"x") for _ in range(3)]
    for reader, _ in links:
        await heard(reader, 1)
    proxy.reset()
    assert proxy.resets == 3
    for reader, _ in links:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await heard(reader, 1)
