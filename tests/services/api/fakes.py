"""The api's ports in memory: what it asks of Postgres and of the other services."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.events import cues, execution_commands
from libs.events.answers import CueAnswer, HeartbeatAnswer
from libs.events.base import Command, Rejection, Value
from libs.events.bus import Refused
from libs.events.cues import (
    CreateCue,
    CueCreated,
    evolve,
)
from libs.events.envelope import Idempotency, Meta, encode
from services.api.adapters.mail import Mail
from services.api.queries.health import Queue
from services.api.routes.ports import Unit

NOW = datetime(2026, 3, 28, 13, 0, tzinfo=UTC)
NEXT_RUN = NOW + timedelta(hours=1)
ACCOUNT = "0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11"
KEY_ID = "6e8fc3a0-7a12-4f8a-b8b6-9c5e1d2a3b4c"

_COUNTS = ("counted", "used")

Answering = Callable[[Any], Value]


class FakeStore:
    """Knows blobs; every other read is answered with the rows told for the view it reads."""

    def __init__(self) -> None:
        self.admission: dict[str, Any] | None = admission()
        self.blobs: dict[bytes, bytes] = {}
        self.told: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.broken: Exception | None = None
        self.active_workers = 0

    def tell(self, view: str, *rows: dict[str, Any]) -> None:
        self.told[view] = list(rows)

    async def rows(self, sql: str, params: Any = ()) -> list[Any]:
        self.asked.append((sql, params))
        if self.broken is not None:
            raise self.broken
        if "rate_windows" in sql:
            return [] if self.admission is None else [self.admission]
        if "join accounts a" in sql:
            uncounted = {k: v for k, v in (self.admission or {}).items() if k not in _COUNTS}
            return [uncounted] if uncounted else []
        if "insert into blobs" in sql:
            (item,) = json.loads(params[0])
            return await self.each(sql, item)
        if "from blobs" in sql or "join blobs" in sql:
            wanted = (params.get("wanted") or params["sha256"]).split(",")
            hashes = [bytes.fromhex(ref) for ref in wanted]
            return [{"sha256": h, "body": self.blobs[h]} for h in hashes if h in self.blobs]
        if "as found" in sql and "api_workers" in sql:
            return [{"found": self.active_workers > 0}]
        if "as alive" in sql:
            return [{"alive": self.active_workers}]
        if "from api_queue" in sql:
            return [dict.fromkeys(Queue._fields, 0)]
        told = next((rows for view, rows in self.told.items() if f"from {view} " in sql), [])
        if "counts.*" in sql:
            counts = {"total": len(told), "earliest": None}
            return [{**counts, **row} for row in told] or [{**counts, "id": None}]
        return told

    async def each(self, sql: str, item: Mapping[str, Any]) -> list[Any]:
        if "insert into blobs" not in sql:
            return await self.rows(sql, item)
        if self.broken is not None:
            raise self.broken
        self.blobs[bytes.fromhex(item["sha256"])] = base64.b64decode(item["body"])
        return []

    async def execute(self, sql: str, params: Any = ()) -> int:
        raise AssertionError(f"the api has no such statement: {sql}")


class FakeBus:
    """Takes every command, and answers as told; cues it creates can be read from the store."""

    def __init__(self, store: FakeStore) -> None:
        self.connected = True
        self.commands: list[Command] = []
        self.metas: list[Meta] = []
        self.idempotencies: list[Idempotency | None] = []
        self.failing: Exception | None = None
        self.replayed = False
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()
        self._store = store
        self._answers: dict[type[Command], Answering] = {
            CreateCue: self._created,
            cues.UpdateCue: lambda command: CueAnswer(cue_id=command.cue_id, version=2),
            cues.DeleteCue: lambda command: CueAnswer(cue_id=command.cue_id, version=3),
            execution_commands.RecordWorkerHeartbeat: lambda _: HeartbeatAnswer(at=NOW),
        }

    def answer(self, kind: type[Command], with_: Answering) -> None:
        self._answers[kind] = with_

    def hold(self) -> None:
        """Answer nothing until `go` is set; `asked` tells that somebody waits."""
        self.asked.clear()
        self.go.clear()

    def refuse(self, code: str, message: str = "no") -> None:
        self.failing = Refused(Rejection(code=code, message=message))

    @property
    def command(self) -> Any:
        """The last command."""
        return self.commands[-1]

    async def ask_with_meta(
        self,
        command: Command,
        *,
        meta: Meta,
        idempotency: Idempotency | None = None,
        timeout: float = 10.0,
    ) -> tuple[Value, bool]:
        self.commands.append(command)
        self.metas.append(meta)
        self.idempotencies.append(idempotency)
        self.asked.set()
        await self.go.wait()
        if self.failing is not None:
            raise self.failing
        return self._answers[type(command)](command), self.replayed

    async def call(self, command: Command, *, meta: Meta, timeout: float) -> Value:
        answer, _ = await self.ask_with_meta(command, meta=meta, timeout=timeout)
        return answer

    def _created(self, command: CreateCue) -> CueAnswer:
        created = CueCreated(
            at=NOW,
            cue_id=command.cue_id,
            account_id=command.account_id,
            settings=command.settings,
            next_run=NEXT_RUN,
        )
        self._store.tell("api_cues", cue_row(evolve(None, created)))
        return CueAnswer(cue_id=command.cue_id, version=1)


class PostBox:
    """Keeps what is posted."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def post(self, mail: Mail) -> None:
        self.mails.append(mail)

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.to == address]


class NoLog:
    """No transaction can be had."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        raise AssertionError("this test has no log")


def admission(**changes: Any) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT,
        "key_id": KEY_ID,
        "status": "active",
        "revoked_reason": None,
        "plan": "free",
        "executions": 0,
        "counted": True,
        "used": 1,
        "resets_at": datetime.now(UTC) + timedelta(seconds=60),
        **changes,
    }


def cue_row(cue: cues.Cue, run_count: int = 0, last_run: datetime | None = None) -> dict[str, Any]:
    return {
        "id": cue.facts.id,
        "version": 1,
        "state": encode(cue).decode(),
        "run_count": run_count,
        "last_run": last_run,
    }
