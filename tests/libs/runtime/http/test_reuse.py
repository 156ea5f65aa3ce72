"""A connection is used again only when nothing of an earlier answer can be left on it."""

import asyncio

import pytest

from libs.runtime.http.client import OutboundClient
from libs.runtime.http.exchange import Response
from libs.runtime.http.failures import ProtocolError
from libs.runtime.http.urls import check_url
from tests.libs.runtime.http.conftest import INSECURE
from tests.libs.runtime.http.receivers import (
    OK,
    Receiver,
    answering,
    read_request,
    receiving,
    resetting,
)

TIMEOUT = 5.0


async def post(client: OutboundClient, receiver: Receiver) -> Response:
    return await client.send("POST", check_url(receiver.url(), INSECURE), {}, b"{}", TIMEOUT)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n", id="an answer"),
        pytest.param(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), id="said close"),
    ],
)
async def test_a_connection_with_something_left_on_it_is_not_used_again(
    client: OutboundClient, answer: bytes
) -> None:
    async with receiving(answering(answer)) as receiver:
        for _ in range(2):
            response = await post(client, receiver)
            assert (response.status, response.body) == (200, b"{}")
    assert receiver.connections == 2


async def test_an_unasked_answer_is_not_taken_for_the_next_one(client: OutboundClient) -> None:
    pushed = asyncio.Event()
    push = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await push.wait()
        writer.write(b"HTTP/1.1 201 Unasked\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        pushed.set()
        await read_request(reader)
        writer.write(OK)
        await asyncio.Event().wait()

    async with receiving(answer) as receiver, receiving(answering(OK)) as other:
        assert (await post(client, receiver)).status == 200
        push.set()
        await pushed.wait()
        # By the time this is answered, what was pushed has come in too.
        await post(client, other)
        assert (await post(client, receiver)).status == 200


async def test_an_upgrade_is_an_answer_without_a_body(client: OutboundClient) -> None:
    upgrade = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x05"
    async with receiving(answering(upgrade)) as receiver:
        assert (await post(client, receiver)).status == 101
        assert (await post(client, receiver)).status == 101
    assert receiver.connections == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST"])
async def test_a_request_whose_connection_drops_is_not_sent_again(
    client: OutboundClient, method: str
) -> None:
    async with receiving(resetting) as receiver:
        with pytest.raises(ProtocolError):
            await client.send(method, check_url(receiver.url(), INSECURE), {}, b"", TIMEOUT)
    assert receiver.connections == 1
