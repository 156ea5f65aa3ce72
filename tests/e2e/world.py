"""A running stack, a receiver of its webhooks, and the evidence of what happened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.stack import Stack
from deploy.local.waiting import NO_CERTIFICATES
from libs.runtime.postgres import Database
from tests.e2e.client import Api
from tests.e2e.history import History
from tests.e2e.invariants import check
from tests.e2e.receiver import Receiver
from tests.e2e.snapshot import Snapshot

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

    async def check(self) -> Snapshot:
        """Check all invariants; see `invariants.check`."""
        async with self.database() as database:
            return await check(self.stack, database, self.history, self.receiver)

    def last_words(self) -> str:
        """The latest lines of every process, for whoever must find out why a test failed."""
        return "\n".join(
            f"{process.name} | {line[:600]}"
            for process in self.stack.processes
            for line in list(process.lines)[-_SHOWN_LINES:]
        )


@asynccontextmanager
async def running(data_dir: Path, **options: Any) -> AsyncIterator[World]:
    """Run a stack with quotas off, and a receiver; `options` are the stack's."""
    env = {"DISABLE_QUOTA_ENFORCEMENT": "true", **options.pop("env", {})}
    stack = Stack(data_dir, fsync=False, env=env, **options)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with (
        Receiver() as receiver,
        stack,
        httpx.AsyncClient(
            base_url=stack.base_url,
            timeout=ANSWER_SECONDS,
            limits=limits,
            verify=NO_CERTIFICATES,
            trust_env=False,
        ) as http,
    ):
        yield World(stack, receiver, History(), http)
