"""The application on real Postgres, as its users meet it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from secrets import randbits
from typing import Any

import httpx
from starlette.types import ASGIApp

from libs.events.log import PostgresLog
from libs.runtime.crypto import Keyring
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from services.api.adapters.billing import Billing
from services.api.adapters.mail import MailQueue
from services.api.app import build
from services.api.queries.pages import Pages
from services.api.routes.audience import Audience
from services.api.routes.ports import Ports, Rules
from services.api.routes.waiting import WaitingRoom
from services.dispatcher.adapters.webhook import Webhook
from tests.services.api.conftest import SECRET
from tests.services.api.direct import DirectBus
from tests.services.api.fakes import PostBox


class User:
    """An account, and a client which holds its key."""

    def __init__(self, app: ASGIApp, api_key: str, email: str) -> None:
        self.api_key = api_key
        self.email = email
        self._app = app

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Authorization", f"Bearer {self.api_key}")
        async with client_of(self._app) as client:
            return await client.request(method, path, json=body, headers=sent)

    async def ok(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        response = await self.call(method, path, body, **headers)
        assert response.is_success, response.text
        return dict(response.json()) if response.content else {}

    async def refused(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, str]:
        response = await self.call(method, path, body, **headers)
        assert not response.is_success, response.text
        return response.status_code, str(response.json()["error"]["code"])


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    # Every client has an address of its own: strangers are limited by it.
    transport = httpx.ASGITransport(app=app, client=(str(IPv6Address(randbits(128))), 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client


def application(
    log: PostgresLog,
    names: NameLookup,
    rules: Rules,
    mailer: MailQueue | None = None,
    billing: Billing | None = None,
    webhook: Webhook | None = None,
    audience: Audience | None = None,
    waiting: WaitingRoom | None = None,
) -> ASGIApp:
    keyring = Keyring.derived_from(SECRET)
    ports = Ports(
        store=log.database,
        pages=Pages(log.database),
        bus=DirectBus(log, keyring, enforce_limits=rules.enforce_quotas, webhook=webhook),
        log=log,
        keyring=keyring,
        names=names,
        mailer=mailer or PostBox(),
        rules=rules,
        billing=billing,
        audience=audience or Audience(),
        waiting=waiting or WaitingRoom(),
    )
    return build(ports)


async def registered(app: ASGIApp) -> User:
    email = f"user-{new_uuid()}@example.com"
    async with client_of(app) as client:
        response = await client.post("/v1/auth/register", json={"email": email})
    assert response.status_code == 201, response.text
    return User(app, response.json()["api_key"], email)
