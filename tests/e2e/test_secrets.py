"""Secrets that are planted by every way in are found again only where they lie sealed.

What the other end-to-end tests look for all the time (`canaries`) are keys, webhook secrets and
header values. Here are all the others too, in a system in which much goes wrong.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import nats
import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult
from nats.aio.msg import Msg

from tests.e2e.client import Api, ok
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.e2e.world import World, running

pytestmark = pytest.mark.e2e

SESSION_SECRET = "planted-session-secret-" + "5" * 32
SMTP_PASSWORD = "planted-smtp-password"
STRIPE_KEY = "sk_test_planted_stripe_key"
STRIPE_WEBHOOK_SECRET = "whsec_planted_stripe_webhook_secret"
HEADER = "planted-header-value-77"
BAD_TOKENS = ("planted-bad-token", "planted.jwt-shaped.token", "cue_sk_plantedunknown")


class MailServer:
    """Wants a password; refuses who is called `refused`, and quotes everything that it was told."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self.refused: list[str] = []

    def auth(self, *_: Any) -> AuthResult:
        return AuthResult(success=True)

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        plain = message.get_body(("plain",))
        assert plain is not None
        links = re.findall(r"https?://\S+/v1/auth/verify\S+", plain.get_content())
        if envelope.rcpt_tos[0].startswith("refused"):
            self.refused += links
            return f"550 spam from {SMTP_PASSWORD} to {envelope.rcpt_tos[0]}: {' '.join(links)}"
        self.links += links
        return "250 OK"


@dataclass
class Heard:
    """What the system said: each line, each message, each trace."""

    lines: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    traces: list[bytes] = field(default_factory=list)

    def line(self, _: str, line: str) -> None:
        self.lines.append(line)

    async def message(self, message: Msg) -> None:
        self.messages.append(f"{message.subject} {message.headers} {message.data!r}")

    async def trace(self, request: web.Request) -> web.Response:
        self.traces.append(await request.read())
        return web.Response()


@asynccontextmanager
async def mail_server() -> AsyncIterator[tuple[MailServer, int]]:
    handler, loop = MailServer(), asyncio.get_running_loop()

    def conversation() -> SMTP:
        return SMTP(handler, loop=loop, authenticator=handler.auth, auth_require_tls=False)

    server = await loop.create_server(conversation, "127.0.0.1", 0)
    try:
        yield handler, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def collector(heard: Heard) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/{signal:.*}", heard.trace)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def planted_by_identity(api: Api) -> list[str]:
    """Make, replace and refuse keys, secrets and sessions; give all that were secret."""
    planted = [str(api.key), api.webhook_secret]
    planted.append(ok(await api.post("/v1/auth/keys", {"label": "other"}), 201)["api_key"])
    rotated = await api.post("/v1/auth/webhook-secret/regenerate", {"overlap_hours": 1})
    planted.append(ok(rotated)["webhook_secret"])
    planted.append(ok(await api.get("/v1/auth/alert-webhook-secret"))["alert_webhook_secret"])
    planted.append(ok(await api.post("/v1/auth/session", {}))["session_token"])
    api.key = planted[-1]
    planted.append(ok(await api.post("/v1/auth/session/refresh", {}))["session_token"])
    again = await api.post("/v1/auth/key/regenerate", {})
    api.key = ok(again)["api_key"]
    return [*planted, str(api.key)]


async def planted_by_sign_in(world: World, server: MailServer, address: str) -> list[str]:
    """Begin a sign-in, and end it if its mail arrives; give all that was secret."""
    terminal = world.client()
    begun = ok(await terminal.post("/v1/auth/device-code", {}), 201)
    code = {"device_code": begun["device_code"]}
    ok(await terminal.post("/v1/auth/device-code/submit-email", {**code, "email": address}))
    box = server.refused if address.startswith("refused") else server.links

    async def mailed() -> str | None:
        return next((link for link in box if begun["device_code"] in link), None)

    link = await eventually(mailed, f"a mail to {address}")
    [token] = parse_qs(urlsplit(link).query)["token"]
    if address.startswith("refused"):
        return [token]
    approved = await world.http.post(link)
    assert approved.status_code == 200
    polled = ok(await terminal.post("/v1/auth/device-code/poll", code))
    return [token, polled["api_key"], polled["session_token"]]


async def much_goes_wrong(world: World, api: Api) -> None:
    """Callbacks that fail, requests that make no sense, tokens that nobody gave out."""
    headers = {"X-Token": HEADER}
    answers = {"failed": Answer(status=500, body={}), "success": Answer(body={"success": False})}
    for status, answer in answers.items():
        hook = api.hook()
        hook.answer = answer
        callback = {"url": hook.url, "headers": headers}
        cue = await api.webhook_cue(hook, callback=callback, retry={"max_attempts": 1})
        await api.when(await api.fire(cue["id"]), status=status)
    dead = {"url": "http://127.0.0.1:1/", "headers": headers}
    cue = await api.webhook_cue(api.hook(), callback=dead, retry={"max_attempts": 1})
    await api.when(await api.fire(cue["id"]), status="failed")
    bad = {"name": "x", "schedule": 7, "callback": {"url": "no", "headers": {"Host": HEADER}}}
    assert (await api.post("/v1/cues", bad)).status == 422
    assert (await api.call("POST", "/v1/cues", content=f'{{"{HEADER}'.encode())).status == 400
    for token in BAD_TOKENS:
        assert (await world.client(token).get("/v1/auth/me")).status == 401
        assert (await world.client().post("/v1/auth/session", {"token": token})).status == 401
        refused = await world.http.get(f"/v1/auth/verify?token={token}&device_code=ABCD-EFGH")
        assert token not in refused.text
    assert (await api.post("/v1/billing/checkout", {"plan": "pro"})).status == 502
    signed = {"Stripe-Signature": f"t=1,v1={'0' * 64}"}
    assert (await api.call("POST", "/v1/billing/webhook", {}, headers=signed)).status == 401


async def rows(world: World) -> AsyncIterator[tuple[str, str]]:
    """Give each row of each table as text."""
    tables = await world.rows(
        "select relname::text as name from pg_class where relkind = 'r'"
        " and relnamespace = 'public'::regnamespace"
    )
    for table in tables:
        for row in await world.rows(f"select t::text as row from {table['name']} t"):
            yield table["name"], row["row"]


async def test_no_secret_is_anywhere_but_sealed(tmp_path: Path) -> None:
    heard = Heard()
    async with mail_server() as (server, port), collector(heard) as traces:
        env = {
            "SESSION_SECRET": SESSION_SECRET,
            "CUEAPI_SMTP_URL": f"smtp://me:{SMTP_PASSWORD}@127.0.0.1:{port}",
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET": STRIPE_WEBHOOK_SECRET,
            "STRIPE_PRICE_PRO_MONTHLY": "price_1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces,
            "CUEAPI_LOG_LEVEL": "debug",
            "https_proxy": "http://127.0.0.1:1",
        }
        async with running(tmp_path, env=env, on_line=heard.line) as world:
            broker = await nats.connect(world.stack.nats.url, allow_reconnect=False)
            await broker.subscribe(">", cb=heard.message)
            api = await world.account()
            planted = [SESSION_SECRET, SMTP_PASSWORD, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, HEADER]
            planted += BAD_TOKENS
            planted += await planted_by_identity(api)
            await much_goes_wrong(world, api)
            planted += await planted_by_sign_in(world, server, "stranger@example.com")
            planted += await planted_by_sign_in(world, server, "refused@example.com")

            async def given_up() -> bool | None:
                return any("a mail was not taken" in line for line in heard.lines) or None

            await eventually(given_up, "the log tells of the mail that was refused")
            stored = [(f"table {table}", row) async for table, row in rows(world)]
            errors = [
                ("an error", str(exchange.body))
                for exchange in world.history.exchanges
                if not exchange.accepted
            ]
            await broker.close()
        told = [
            *stored,
            *errors,
            *(("a log", line) for line in heard.lines),
            *(("a message", message) for message in heard.messages),
            *(("a trace", trace.decode(errors="replace")) for trace in heard.traces),
        ]
    # What is no secret is found, so the search sees what is there.
    assert any(api.email in row for _, row in stored)
    assert len(stored) > 50
    assert len(errors) > 5
    assert len(heard.messages) > 20
    found = {
        (secret, where, text[:300])
        for secret in planted
        for where, text in told
        if secret in text or secret.encode().hex() in text
    }
    assert found == set()
