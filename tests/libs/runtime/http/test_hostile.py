"""Whatever a receiver does, the send ends in time, with the right class, in little memory."""

import asyncio
import gzip
import resource
import socket
from pathlib import Path

import pytest

from libs.runtime.http.client import OutboundClient
from libs.runtime.http.exchange import Response
from libs.runtime.http.failures import (
    ConnectFailed,
    OutboundError,
    ProtocolError,
    TimedOut,
)
from libs.runtime.http.names import NameLookup
from libs.runtime.http.urls import check_url
from tests.libs.runtime.http.conftest import INSECURE
from tests.libs.runtime.http.receivers import (
    OK,
    Answer,
    Receiver,
    answering,
    answering_early,
    closing_at_once,
    dripping,
    flooding,
    hanging_after,
    never_reading,
    read_request,
    receiving,
    resetting,
)

DEADLINE = 0.3
MIB = 1024 * 1024
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def post(client: OutboundClient, receiver: Receiver, body: bytes = b"{}") -> Response:
    """Send, and check that it ended by itself: not later than a second after the deadline."""
    url = check_url(receiver.url(), INSECURE)
    async with asyncio.timeout(DEADLINE + 1):
        return await client.send("POST", url, {}, body, DEADLINE)


NO_ANSWER = [
    pytest.param(hanging_after(), TimedOut, id="hangs before the headers"),
    pytest.param(hanging_after(b"HTTP/1.1 200 OK\r\nX-A: "), TimedOut, id="hangs in the headers"),
    pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"), TimedOut, id="drips headers"),
    pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), ProtocolError, id="drips 1xx"),
    pytest.param(
        flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), ProtocolError, id="floods 1xx"
    ),
    pytest.param(
        flooding(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000), ProtocolError, id="endless headers"
    ),
    pytest.param(
        flooding(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 65536), ProtocolError, id="endless header"
    ),
    pytest.param(flooding(b"HTTP/1.1 200 ", b"a" * 65536), ProtocolError, id="endless reason"),
    pytest.param(flooding(b"", b"\0" * 65536), ProtocolError, id="zeros"),
    pytest.param(answering(b"SSH-2.0-OpenSSH_9.9\r\n"), ProtocolError, id="speaks SSH"),
    pytest.param(answering(b"HTTP/1.1 abc OK\r\n\r\n"), ProtocolError, id="status is no number"),
    pytest.param(answering(b"HTTP/1.1 99 Low\r\n\r\n"), ProtocolError, id="status of two digits"),
    pytest.param(answering(b"HTTP/1.1 200 OK\r\nX A: b\r\n\r\n"), ProtocolError, id="bad name"),
    pytest.param(
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        ProtocolError,
        id="negative length",
    ),
    pytest.param(
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
        ProtocolError,
        id="two lengths",
    ),
    pytest.param(
        answering(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n") + b"0\r\n\r\n"),
        ProtocolError,
        id="length and chunks",
    ),
    pytest.param(answering(CHUNKED + b"ZZ\r\n"), ProtocolError, id="a chunk size that is none"),
    pytest.param(answering(OK + b"more than it said"), ProtocolError, id="longer than it said"),
    pytest.param(resetting, ProtocolError, id="resets"),
    pytest.param(closing_at_once, ProtocolError, id="closes at once"),
    pytest.param(answering(b"", then_close=True), ProtocolError, id="closes without an answer"),
    pytest.param(
        answering(b"HTTP/1.1 200 OK\r\nX-", then_close=True), ProtocolError, id="closes in headers"
    ),
]


@pytest.mark.parametrize(("answer", "failure"), NO_ANSWER)
async def test_without_complete_headers_the_send_fails(
    client: OutboundClient, answer: Answer, failure: type[OutboundError]
) -> None:
    async with receiving(answer) as receiver:
        with pytest.raises(failure) as caught:
            await post(client, receiver)
    assert receiver.connections == 1
    words = "timed out" if failure is TimedOut else "Could not connect"
    assert words in caught.value.message
    assert "127.0.0.1" not in caught.value.message


HEADERS_ONLY = [
    pytest.param(
        hanging_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), b"", id="hangs before body"
    ),
    pytest.param(
        hanging_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        b"abc",
        id="hangs in body",
    ),
    pytest.param(hanging_after(b"HTTP/1.1 200 OK\r\n\r\nabc"), b"abc", id="no length, no end"),
    pytest.param(hanging_after(CHUNKED + b"3\r\nabc\r\n"), b"abc", id="hangs between chunks"),
    pytest.param(hanging_after(CHUNKED + b"3\r\nabc\r\n0\r\n"), b"abc", id="hangs in trailers"),
    pytest.param(
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", then_close=True),
        b"abc",
        id="closes before its length",
    ),
    pytest.param(
        answering(CHUNKED + b"3\r\nabc\r\n", then_close=True), b"abc", id="closes between chunks"
    ),
]


@pytest.mark.parametrize(("answer", "body"), HEADERS_ONLY)
async def test_headers_in_time_count_whatever_becomes_of_the_body(
    client: OutboundClient, answer: Answer, body: bytes
) -> None:
    async with receiving(answer) as receiver:
        response = await post(client, receiver)
    assert (response.status, response.body, response.body_complete) == (200, body, False)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"a"), id="by length"
        ),
        pytest.param(dripping(CHUNKED, b"1\r\na\r\n"), id="by chunks"),
    ],
)
async def test_a_dripped_body_ends_with_the_deadline(
    client: OutboundClient, answer: Answer
) -> None:
    async with receiving(answer) as receiver:
        response = await post(client, receiver)
    assert response.status == 200
    assert not response.body_complete
    assert set(response.body) == {ord("a")}


ENDLESS = [
    pytest.param(
        flooding(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", b"a" * 65536), id="1 GiB"
    ),
    pytest.param(flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536), id="without length"),
    pytest.param(flooding(CHUNKED, b"10000\r\n" + b"a" * 65536 + b"\r\n"), id="chunked"),
]


@pytest.mark.parametrize("answer", ENDLESS)
async def test_a_long_body_is_read_to_the_limit_only(
    client: OutboundClient, answer: Answer
) -> None:
    before = resident()
    async with receiving(answer) as receiver:
        response = await post(client, receiver)
    assert response.truncated
    assert not response.body_complete
    assert response.body == b"a" * (256 * 1024)
    assert resident() - before < 16 * MIB


async def test_tiny_chunks_end_at_the_deadline_or_the_limit(client: OutboundClient) -> None:
    async with receiving(flooding(CHUNKED, b"1\r\na\r\n" * 10_000)) as receiver:
        response = await post(client, receiver)
    assert response.status == 200
    assert not response.body_complete
    assert len(response.body) <= 256 * 1024


async def test_a_gzip_bomb_stays_packed(client: OutboundClient) -> None:
    bomb = gzip.compress(bytes(64 * MIB))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    before = resident()
    async with receiving(answering(head + bomb)) as receiver:
        response = await post(client, receiver)
    assert response.body == bomb[: len(response.body)]
    assert resident() - before < 16 * MIB


async def test_many_hostile_receivers_at_once_take_little_memory(names: NameLookup) -> None:
    body = flooding(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", b"a" * 65536)
    async with (
        OutboundClient(INSECURE, names, user_agent="Test/1.0", max_connections=64) as client,
        receiving(body) as receiver,
    ):
        before = resident()
        url = check_url(receiver.url(), INSECURE)
        sends = [client.send("POST", url, {}, b"{}", 5) for _ in range(64)]
        sizes = [len((await sent).body) for sent in asyncio.as_completed(sends)]
    assert sizes == [256 * 1024] * 64
    assert resident() - before < 64 * MIB


async def test_a_receiver_that_never_reads_ends_with_the_deadline(client: OutboundClient) -> None:
    async with receiving(never_reading) as receiver:
        with pytest.raises(TimedOut):
            await post(client, receiver, body=bytes(6 * MIB))


async def test_an_answer_to_a_body_that_is_still_being_sent_counts(
    client: OutboundClient,
) -> None:
    async with receiving(answering_early) as receiver:
        response = await post(client, receiver, body=bytes(6 * MIB))
        again = await post(client, receiver, body=b"")
    assert response.status == again.status == 413
    assert receiver.connections == 2


async def test_a_redirect_is_an_answer_and_is_not_followed(client: OutboundClient) -> None:
    loop = b"HTTP/1.1 307 Again\r\nLocation: /hook\r\nContent-Length: 0\r\n\r\n"
    requests = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while True:
            await read_request(reader)
            requests += 1
            writer.write(loop)

    async with receiving(answer) as receiver:
        response = await post(client, receiver)
    assert (response.status, response.headers["location"], requests) == (307, "/hook", 1)


async def test_early_hints_come_before_the_answer(client: OutboundClient) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3
    async with receiving(answering(hints + OK)) as receiver:
        response = await post(client, receiver)
    assert (response.status, response.body) == (200, b"{}")


async def test_a_closed_port_is_a_failed_connection(client: OutboundClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = check_url(f"http://127.0.0.1:{taken.getsockname()[1]}/", INSECURE)
        with pytest.raises(ConnectFailed, match="Could not connect: Connection refused"):
            await client.send("POST", url, {}, b"", DEADLINE)


async def test_a_full_backlog_ends_with_the_deadline(client: OutboundClient) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        url = check_url(f"http://127.0.0.1:{deaf.getsockname()[1]}/", INSECURE)
        for _ in range(3):
            with pytest.raises(TimedOut):
                await client.send("POST", url, {}, b"", DEADLINE)
