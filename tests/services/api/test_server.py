"""The api behind its real HTTP server, on a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.api.app import build
from services.api.server import HttpServer, bound_socket
from tests.services.api.bodies import CUE
from tests.services.api.conftest import API_KEY, Fixture

HEADERS = {"Authorization": f"Bearer {API_KEY}"}


class Running:
    """A server and its address."""

    def __init__(self, api: Fixture) -> None:
        listening = bound_socket("127.0.0.1", 0)
        self.port = listening.getsockname()[1]
        self.part = HttpServer(build(api.ports), listening, grace=5)
        self.task = asyncio.create_task(self.part.run())

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers=HEADERS, trust_env=False
        )

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task], timeout=10)
        assert self.task.done()


@pytest.fixture
async def server(api: Fixture) -> AsyncIterator[Running]:
    running = Running(api)
    yield running
    await running.stop()


async def test_a_cue_is_created(server: Running) -> None:
    async with server.client() as client:
        response = await client.post("/v1/cues", json=CUE)
    assert response.status_code == 201
    assert "server" not in response.headers


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_refused_and_the_next_request_answered(
    server: Running, chunked: bool
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(48):
            yield b" " * 65_536

    content: Any = chunks() if chunked else b" " * 3_145_728
    async with server.client() as client:
        response = await client.post("/v1/executions/x/outcome", content=content)
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "request_too_large"
        assert (await client.get("/v1/cues")).status_code == 200


async def test_raw_bytes_in_the_path(server: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    request = b"GET /v1/cues/%ff%00%2e%2e/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    writer.write(request + f"Authorization: Bearer {API_KEY}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b'"cue_not_found"' in answer
    writer.close()


async def test_forwarded_addresses_of_strangers_are_not_believed(server: Running) -> None:
    async with server.client() as client:
        for number in range(60):
            headers = {"Authorization": "", "X-Forwarded-For": f"1.2.3.{number}"}
            assert (await client.get("/v1/cues", headers=headers)).status_code == 401
        headers = {"Authorization": "", "X-Forwarded-For": "9.9.9.9"}
        assert (await client.get("/v1/cues", headers=headers)).status_code == 429


async def test_requests_in_hand_are_finished(api: Fixture) -> None:
    running = Running(api)
    api.bus.hold()
    async with running.client() as client:
        request = asyncio.create_task(client.delete("/v1/cues/cue_x7k9m2p4q8w1"))
        await api.bus.asked.wait()
        stopping = asyncio.create_task(running.stop())
        await no_longer_listening(running.port)
        api.bus.go.set()
        assert (await request).status_code == 204
        await stopping


async def no_longer_listening(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return
            writer.close()


def test_a_taken_port_is_an_error() -> None:
    with bound_socket("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        bound_socket("127.0.0.1", first.getsockname()[1])


def test_the_head_of_an_answer_does_not_wait_to_be_acknowledged() -> None:
    with bound_socket("127.0.0.1", 0) as listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
