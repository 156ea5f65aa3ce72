"""A running stack, a receiver of its webhooks, and the evidence of what happened."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import httpx

from deploy.local.programs import SERVICES
from deploy.local.stack import Stack
from libs.runtime.postgres import Database
from tests.e2e.client import Api
from tests.e2e.history import History
from tests.e2e.invariants import check
from tests.e2e.receiver import Receiver
from tests.e2e.snapshot import Snapshot
from tests.e2e.transport import AiohttpTransport
from tests.e2e.waiting import eventually

ANSWER_SECONDS = 30.0
CONNECTIONS = 64
_SHOWN_LINES = 15


@dataclass(frozen=True)
class World:
    """What a test acts on."""

    stack: Stack
    receiver: Receiver
    history: History
    http: httpx.AsyncClient
    told: set[str] = field(default_factory=set)

    def client(self, key: str | None = None) -> Api:
        """A client with this key."""
        return Api(self.http, self.history, self.receiver, key)

    async def account(self) -> Api:
        """A client of a new account."""
        return await self.client().register()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The stack's database, over connections of one's own."""
        database = Database(self.stack.database_url, max_connections=2, name="test")
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    async def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """Read rows from the database."""
        async with self.database() as database:
            return await database.rows(sql, params)

    async def alerts(self, cue_id: str) -> list[str]:
        """Wait until a cue has alerts, and return their kinds."""

        async def raised() -> list[str] | None:
            sql = "select kind from api_alerts where cue_id = %s order by created_at"
            return [row["kind"] for row in await self.rows(sql, cue_id)] or None

        return await eventually(raised, f"alerts of {cue_id}")

    async def check(self) -> Snapshot:
        """Check all invariants; see `invariants.check`."""
        async with self.database() as database:
            return await check(self.stack, database, self.history, self.receiver, self.told)

    def complaints(self) -> list[str]:
        """Give the errors which the services have logged since the last look."""
        lines = [line for name in SERVICES for line in self.stack.logs(name)]
        new = [line for line in lines if _is_complaint(line) and line not in self.told]
        self.told.update(new)
        return new

    def down(self) -> list[str]:
        """Name the servers and services that do not run."""
        stack = self.stack
        services = chain.from_iterable(stack.services.values())
        return [each.name for each in (stack.postgres, stack.nats, *services) if not each.up]

    def last_words(self) -> str:
        """The latest lines of every process, for whoever must find out why a test failed."""
        return "\n".join(
            f"{process.name} | {line[:600]}"
            for process in self.stack.processes
            for line in list(process.lines)[-_SHOWN_LINES:]
        )


def _is_complaint(line: str) -> bool:
    return json.loads(line)["level"] in ("error", "critical")


@asynccontextmanager
async def running(data_dir: Path, **options: Any) -> AsyncIterator[World]:
    """Run a stack with quotas off, and a receiver; `options` are the stack's, `kind` its class."""
    env = {"DISABLE_QUOTA_ENFORCEMENT": "true", **options.pop("env", {})}
    kind: type[Stack] = options.pop("kind", Stack)
    stack = kind(data_dir, fsync=False, env=env, **options)
    transport = AiohttpTransport(CONNECTIONS, ANSWER_SECONDS)
    async with (
        Receiver() as receiver,
        stack,
        httpx.AsyncClient(base_url=stack.base_url, transport=transport, trust_env=False) as http,
    ):
        yield World(stack, receiver, History(), http)
