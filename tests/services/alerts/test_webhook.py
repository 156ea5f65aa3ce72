"""What a webhook is sent over real HTTP, and what its answers mean."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.names import NameLookup
from libs.runtime.http.signing import canonical_body, signature
from services.alerts.adapters.webhook import HttpWebhook
from tests.services.alerts.test_letters import ALERT

SECRET = "whsec_" + "5e" * 32


class Receiver:
    """Keeps what it is sent and answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.heard: list[tuple[web.Request, bytes]] = []

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append((request, await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def url(receiver: Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.hear)
    async with TestServer(app) as server:
        yield str(server.make_url("/hook"))


@pytest.fixture
async def webhook() -> AsyncIterator[HttpWebhook]:
    policy = EgressPolicy(allow_insecure=True)
    names = NameLookup()
    async with OutboundClient(policy, names, user_agent="CueAPI/1.0", max_connections=4) as client:
        yield HttpWebhook(client, policy)


async def test_the_bytes_are_signed(webhook: HttpWebhook, receiver: Receiver, url: str) -> None:
    assert await webhook.send(url, ALERT, (SECRET,)) is None
    [(request, body)] = receiver.heard
    timestamp = int(request.headers["X-CueAPI-Timestamp"])
    assert body == canonical_body(ALERT)
    assert request.method == "POST"
    assert request.headers["X-CueAPI-Signature"] == signature(SECRET, timestamp, body)
    assert request.headers["X-CueAPI-Alert-Id"] == "a1"
    assert request.headers["X-CueAPI-Alert-Type"] == "consecutive_failure"
    assert request.headers["User-Agent"] == "CueAPI/1.0"
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_only_2xx_is_heard(
    webhook: HttpWebhook, receiver: Receiver, url: str, status: int
) -> None:
    receiver.status = status
    error = await webhook.send(url, ALERT, (SECRET,))
    assert error == f"the webhook answered with an error status ({status})"
    assert len(receiver.heard) == 1


async def test_a_blocked_address_is_not_dialed(webhook: HttpWebhook) -> None:
    error = await webhook.send("http://169.254.169.254/hook", ALERT, (SECRET,))
    assert error is not None
    assert "blocked" in error
