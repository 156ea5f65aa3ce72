"""Whatever bytes come back, in whatever pieces, a send ends in a response or a typed failure."""

import asyncio
from random import Random

import pytest

from libs.runtime.http.client import OutboundClient
from libs.runtime.http.failures import OutboundError
from libs.runtime.http.urls import check_url
from tests.libs.runtime.http.conftest import INSECURE
from tests.libs.runtime.http.receivers import read_request, receiving

DEADLINE = 0.2
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000,
    b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000,
    CHUNKED + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n",
    CHUNKED + b"11170\r\n" + b"x" * 70_000 + b"\r\n0\r\nX-Trailer: y\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 5000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + b"y" * 500,
]
SPLICES = [
    b"\r\n",
    b"\0",
    b" ",
    b"-",
    b"\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"HTTP/1.1 200 OK\r\n",
]


def mutated(answer: bytes, random: Random) -> bytes:
    damaged = bytearray(answer)
    for _ in range(random.choice([0, 1, 2, 5])):
        at = random.randrange(min(len(damaged), 200))
        match random.randrange(3):
            case 0:
                damaged[at] = random.randrange(256)
            case 1:
                del damaged[at : at + random.choice([1, 2, 10])]
            case _:
                damaged[at:at] = random.choice(SPLICES)
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(6))
async def test_any_answer_ends_in_a_response_or_a_typed_failure(
    client: OutboundClient, seed: int
) -> None:
    random = Random(seed)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            damaged = mutated(random.choice(ANSWERS), random)
            cut = random.randrange(len(damaged))
            writer.write(damaged[:cut])
            await writer.drain()
            writer.write(damaged[cut:])
            match random.randrange(3):
                case 0:
                    writer.transport.abort()
                    return
                case 1:
                    return
                case _:
                    await writer.drain()

    async with receiving(answer) as receiver:
        url = check_url(receiver.url(), INSECURE)
        for _ in range(5):
            sends = [client.send("POST", url, {}, b"{}", DEADLINE) for _ in range(8)]
            async with asyncio.timeout(DEADLINE + 1):
                for ended in await asyncio.gather(*sends, return_exceptions=True):
                    if isinstance(ended, BaseException):
                        assert isinstance(ended, OutboundError), ended
