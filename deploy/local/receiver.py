"""A webhook receiver, as a user would write one: it checks the signature, then answers."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from aiohttp import web

from deploy.local.ports import LOOPBACK
from deploy.local.processes import OnLine
from libs.runtime.clock import unix_now, utc_now

_OLDEST_SECONDS = 300
_LARGEST_BODY = 2 * 1024 * 1024


@dataclass(frozen=True)
class Delivery:
    """One request as it arrived. `received_at` is when its head was read."""

    headers: Mapping[str, str]
    body: str
    verified: bool
    received_at: datetime


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: int) -> bool:
    """Say whether CueAPI signed `body` within the last five minutes (contract §6).

    The signature is HMAC-SHA256 over the timestamp's digits, a dot and the body's bytes.
    """
    timestamp = headers.get("X-CueAPI-Timestamp", "")
    message = timestamp.encode() + b"." + body
    expected = "v1=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    given = headers.get("X-CueAPI-Signature", "")
    fresh = timestamp.isdecimal() and abs(now - int(timestamp)) <= _OLDEST_SECONDS
    return fresh and hmac.compare_digest(expected.encode(), given.encode())


class Receiver:
    """Listens on a loopback port while in its `async with`; keeps deliveries in arrival order."""

    def __init__(self, secret: str, port: int, on_line: OnLine) -> None:
        self.url = f"http://{LOOPBACK}:{port}/webhook"
        self.deliveries: asyncio.Queue[Delivery] = asyncio.Queue(maxsize=1_000)
        self._secret = secret
        self._port = port
        self._on_line = on_line
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_post("/webhook", self._receive)
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> Self:
        """Start to listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        received_at = utc_now()
        body = await request.read()
        verified = is_signed(self._secret, request.headers, body, unix_now())
        delivery = Delivery(request.headers, body.decode(errors="replace"), verified, received_at)
        if not self.deliveries.full():
            self.deliveries.put_nowait(delivery)
        self._log(delivery)
        if not verified:
            return web.json_response({"error": "bad signature"}, status=401)
        return web.json_response({"success": True, "result": "Hello from the demo receiver"})

    def _log(self, delivery: Delivery) -> None:
        said = {
            "event": "delivery received" if delivery.verified else "delivery with a bad signature",
            "level": "info" if delivery.verified else "warning",
            "timestamp": delivery.received_at.isoformat(),
            "service": "receiver",
            "execution_id": delivery.headers.get("X-CueAPI-Execution-Id"),
            "attempt": delivery.headers.get("X-CueAPI-Attempt"),
        }
        self._on_line("receiver", json.dumps(said))
