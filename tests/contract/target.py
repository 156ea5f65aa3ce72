"""The api on real Postgres behind a real HTTP server, and accounts that own one of everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import jwt
from starlette.types import ASGIApp

from libs.events.alerts import AlertRaised
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from services.api.routes.ports import Rules
from services.api.server import HttpServer, bound_socket
from tests.services.api.bodies import CUE
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, registered

WORKER_CUE: Mapping[str, Any] = {**CUE, "transport": "worker", "callback": {}}
TICKET = {
    "subject": "Cues run twice",
    "message": "Since this morning each of my cues has run twice.",
    "severity": "high",
    "type": "bug",
}


@dataclass(frozen=True)
class Account:
    """A session of an account, and one id of each kind that it owns, by its name in paths."""

    headers: Mapping[str, str]
    ids: Mapping[str, str]


class Target:
    """The running api. Its limits are off, so that nothing but what is sent decides the answer."""

    def __init__(self, url: str, app: ASGIApp, log: PostgresLog) -> None:
        self.url = url
        self.app = app
        self._log = log

    async def document(self) -> dict[str, Any]:
        """The OpenAPI document that the api serves."""
        return await User(self.app, "", "").ok("GET", "/openapi.json")

    async def account(self) -> Account:
        """Open an account that has a cue, a finished and a waiting execution, an alert, ..."""
        user = await registered(self.app)
        me = await user.ok("GET", "/v1/auth/me")
        await self._log.database.execute(
            "update identities set created_at = now() - interval '2 hours' where email = %s",
            [user.email],
        )
        cue = (await user.ok("POST", "/v1/cues", dict(WORKER_CUE)))["id"]
        execution = (await user.ok("POST", f"/v1/cues/{cue}/fire"))["id"]
        await user.ok("POST", f"/v1/executions/{execution}/claim", {"worker_id": "worker-1"})
        await user.ok("POST", f"/v1/cues/{cue}/fire")
        await user.ok("POST", "/v1/worker/heartbeat", {"worker_id": "worker-1"})
        key = (await user.ok("POST", "/v1/auth/keys", {"label": "second"}))["id"]
        ticket = (await user.ok("POST", "/v1/support", TICKET))["ticket_id"]
        ids = {
            "cue_id": cue,
            "execution_id": execution,
            "alert_id": await self._alert(me["id"], cue, execution),
            "key_id": key,
            "ticket_id": str(ticket),
            "worker_id": "worker-1",
            "token": "an-echo-of-" + new_uuid(),
        }
        return Account({"Authorization": f"Bearer {_session(me)}"}, ids)

    async def _alert(self, account_id: str, cue_id: str, execution_id: str) -> str:
        alert_id = new_uuid()
        async with self._log.transaction() as unit:
            raised = AlertRaised(
                at=unit.now,
                alert_id=alert_id,
                account_id=account_id,
                cue_id=cue_id,
                kind="outcome_timeout",
                episode=execution_id,
                execution_id=execution_id,
                facts={},
            )
            meta = Meta(correlation_id="test", actor="test")
            unit.record("alert", alert_id, account_id, [raised], meta)
        return alert_id


def _session(me: Mapping[str, Any]) -> str:
    # A session outlives every key, so an endpoint that ends keys does not end the test.
    ends = datetime.now(UTC) + timedelta(hours=1)
    claims = {"sub": me["id"], "email": me["email"], "type": "session", "exp": ends}
    return jwt.encode(claims, SECRET, "HS256")


@asynccontextmanager
async def running_target(log: PostgresLog) -> AsyncIterator[Target]:
    """Serve the api on a port of this machine, on the Postgres of `log`."""
    names = NameLookup(addresses_of)
    rules = Rules(
        default_plan="scale",
        session_secret=SECRET,
        enforce_quotas=False,
        mcp_clients=frozenset({"an-mcp-client"}),
        return_hosts=frozenset({"mcp.example.com"}),
        trusted_proxies=(ip_network("127.0.0.0/8"),),
    )
    app = application(log, names, rules)
    listening = bound_socket("127.0.0.1", 0)
    serving = asyncio.create_task(HttpServer(app, listening, grace=5).run())
    try:
        yield Target(f"http://127.0.0.1:{listening.getsockname()[1]}", app, log)
    finally:
        serving.cancel()
        await asyncio.wait([serving], timeout=10)
        names.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresLog]:
    """The log in the database at `url`."""
    database = Database(url, name="cueapi-contract")
    await database.open()
    try:
        yield PostgresLog(database)
    finally:
        await database.close()
