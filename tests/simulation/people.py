"""Those who use the services: users, agents that report later, and workers that may die."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from libs.events.alerts import AcknowledgeAlert
from libs.events.answers import ClaimAnswer
from libs.events.base import Command, Transport
from libs.events.blobs import blob_of
from libs.events.cues import (
    CreateCue,
    DeleteCue,
    FireCue,
    PausedCue,
    ReplayExecution,
    UpdateCue,
)
from libs.events.envelope import Recorded, Reply, decode
from libs.events.execution_commands import (
    AppendEvidence,
    ClaimExecution,
    ClaimNextExecution,
    DeleteWorker,
    ExtendLease,
    RecordWorkerHeartbeat,
    ReportOutcome,
    RequestVerification,
    VerifyOutcome,
)
from libs.events.execution_events import ExecutionScheduled, LeaseExpired
from libs.events.execution_rows import (
    TERMINAL,
    status,
)
from libs.events.executions import Report
from libs.runtime.ids import new_uuid
from services.dispatcher.adapters.webhook import Attempt
from tests.simulation import choices
from tests.simulation.broker import Broker
from tests.simulation.engine import Clock
from tests.simulation.store import Store

ACTION_SECONDS = 4_800.0
WORKERS = ("worker-1", "worker-2")
LATEST = 30


class Person:
    """An account with all who act for it."""

    def __init__(
        self,
        number: int,
        account_id: str,
        zones: Sequence[str],
        headers: str | None,
        clock: Clock,
        store: Store,
        broker: Broker,
    ) -> None:
        self.account_id = account_id
        self.resting = False
        self._number = number
        self._zones = zones
        self._headers = headers
        self.at_work: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._dice = clock.dice
        self._store = store
        self._broker = broker

    async def live(self, cues: int) -> None:
        """Declare cues, then do this and that until told to rest."""
        for _ in range(cues):
            await asyncio.sleep(self._dice.uniform(0, 600))
            await self._create()
        while not self.resting:
            await asyncio.sleep(self._dice.expovariate(1 / ACTION_SECONDS))
            if not self.resting:
                await self._act()

    async def report_later(self, attempt: Attempt) -> None:
        """Report what became of delivered work: in time, late, twice, or never."""
        deadline = attempt.settings.delivery.outcome_deadline_seconds
        draw = self._dice.random()
        if draw < 0.2:
            return
        await asyncio.sleep(self._dice.uniform(1, deadline * 0.9 if draw < 0.9 else deadline * 2))
        await self._report(attempt.facts.id, None)
        if draw < 0.3:
            await self._report(attempt.facts.id, None)

    def take(self, attempt: Attempt) -> None:
        """Begin the work that a callback has taken."""
        self._begin(self.report_later(attempt))

    def hear(self, recorded: Recorded) -> None:
        """Send a worker when there is something to claim."""
        match recorded.event:
            case ExecutionScheduled(transport=Transport.WORKER, due_at=due, blocked=None):
                wait = (due - self._clock.now()).total_seconds()
            case LeaseExpired():
                wait = 0.0
            case _:
                return
        if self._dice.random() < 0.92:
            delay = wait + self._dice.expovariate(1 / 60)
            self._clock.loop.call_later(delay, self._send_worker, recorded.key)
            if self._dice.random() < 0.15:
                rival = delay + self._dice.expovariate(1 / 60)
                self._clock.loop.call_later(rival, self._send_worker, recorded.key)

    def _send_worker(self, execution_id: str) -> None:
        self._begin(self._work(execution_id))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._clock.loop.create_task(work)
        self.at_work.add(task)
        task.add_done_callback(self.at_work.discard)

    async def _work(self, execution_id: str) -> None:
        worker = self._dice.choice(WORKERS)
        await self._ask(RecordWorkerHeartbeat(account_id=self.account_id, worker_id=worker))
        lease = self._dice.choice((None, None, 30, 300))
        who: dict[str, Any] = {"account_id": self.account_id, "worker_id": worker}
        command: Command = ClaimNextExecution(**who, lease_seconds=lease)
        if self._dice.random() < 0.3:
            command = ClaimExecution(**who, lease_seconds=lease, execution_id=execution_id)
        reply = await self._ask(command)
        if reply is None or reply.rejection is not None:
            return
        claimed = decode(bytes(reply.answer), ClaimAnswer).execution_id
        for _ in range(self._dice.randrange(4)):
            await asyncio.sleep(self._dice.uniform(5, 0.9 * (lease or 300)))
            if self._dice.random() < 0.1:
                return
            await self._ask(ExtendLease(**who, execution_id=claimed))
            await self._ask(RecordWorkerHeartbeat(**who))
        if self._dice.random() < 0.05:
            await asyncio.sleep(self._dice.uniform(0, 5_000))
        await self._report(claimed, worker)

    async def _report(self, execution_id: str, worker: str | None) -> None:
        success = self._dice.random() < 0.85
        evidence = ("external_id", "result_url", "artifacts") if self._dice.random() < 0.6 else ()
        details = {} if success else {"error": "it did not work"}
        report = Report(success=success, evidence=evidence, details_ref=self._blob(details))
        await self._ask(
            ReportOutcome(
                account_id=self.account_id,
                execution_id=execution_id,
                report=report,
                worker_id=worker,
            )
        )

    async def _act(self) -> None:
        act = self._dice.choices(
            (
                self._create,
                self._update,
                self._pause_or_resume,
                self._fire,
                self._delete,
                self._replay,
                self._judge,
                self._acknowledge,
                self._leave,
            ),
            weights=(6, 8, 14, 8, 3, 6, 10, 8, 1),
        )[0]
        await act()

    async def _create(self) -> None:
        now = self._clock.now()
        settings = choices.settings(
            self._dice, now, self._number, self._dice.choice(self._zones), self._headers
        )
        cue_id = f"cue_{new_uuid().replace('-', '')[-12:]}"
        create = CreateCue(account_id=self.account_id, cue_id=cue_id, settings=settings)
        await self._ask(create, key=new_uuid())

    async def _update(self) -> None:
        if cue_id := self._cue():
            changes = choices.changes(self._dice, self._clock.now(), self._dice.choice(self._zones))
            version = self._store.streams["cue", cue_id].version
            await self._ask(
                UpdateCue(
                    account_id=self.account_id,
                    cue_id=cue_id,
                    changes=changes,
                    status=self._dice.choice((None, None, "active", "paused")),
                    if_version=version if self._dice.random() < 0.3 else None,
                )
            )

    async def _pause_or_resume(self) -> None:
        if cue_id := self._cue():
            paused = isinstance(self._store.state("cue", cue_id), PausedCue)
            wanted = "active" if paused else "paused"
            await self._ask(
                UpdateCue(account_id=self.account_id, cue_id=cue_id, changes={}, status=wanted)
            )

    async def _fire(self) -> None:
        if cue_id := self._cue():
            later = self._clock.now() + timedelta(seconds=self._dice.randrange(7_200))
            fire = FireCue(
                account_id=self.account_id,
                cue_id=cue_id,
                execution_id=new_uuid(),
                send_at=later if self._dice.random() < 0.3 else None,
            )
            await self._ask(fire, key=new_uuid() if self._dice.random() < 0.5 else None)

    async def _delete(self) -> None:
        if cue_id := self._cue():
            await self._ask(DeleteCue(account_id=self.account_id, cue_id=cue_id))

    async def _replay(self) -> None:
        key = self._execution()
        if key is not None and status(self._store.state("execution", key)) in TERMINAL:
            replay = {"replayed_id": key, "execution_id": new_uuid()}
            await self._ask(ReplayExecution(account_id=self.account_id, **replay))

    async def _judge(self) -> None:
        if (key := self._execution()) is None:
            return
        who = {"account_id": self.account_id, "execution_id": key}
        match self._dice.randrange(4):
            case 0:
                await self._ask(VerifyOutcome(**who, valid=self._dice.random() < 0.7))
            case 1:
                await self._ask(RequestVerification(**who))
            case 2:
                await self._report(key, None)
            case _:
                ref = self._blob({"external_id": str(self._dice.randrange(99))})
                evidence = ("external_id",)
                await self._ask(AppendEvidence(**who, details_ref=ref, evidence=evidence))

    async def _acknowledge(self) -> None:
        if (cue_id := self._cue()) and (keys := self._store.members.get(("alert", cue_id))):
            alert_id = self._dice.choice(keys)
            await self._ask(AcknowledgeAlert(account_id=self.account_id, alert_id=alert_id))

    async def _leave(self) -> None:
        worker = self._dice.choice(WORKERS)
        await self._ask(DeleteWorker(account_id=self.account_id, worker_id=worker))

    async def _ask(self, command: Command, key: str | None = None) -> Reply | None:
        reply = await self._broker.ask(command, key)
        if reply is None and key is not None and not self.resting:
            # The same wish under the same key: the first one may have come true.
            await asyncio.sleep(self._dice.uniform(1, 120))
            return await self._broker.ask(command, key)
        return reply

    def _cue(self) -> str | None:
        keys = self._store.members.get(("cue", self.account_id))
        return self._dice.choice(keys) if keys else None

    def _execution(self) -> str | None:
        cue_id = self._cue()
        keys = self._store.members.get(("execution", cue_id or ""), [])
        return self._dice.choice(keys[-LATEST:]) if keys else None

    def _blob(self, document: dict[str, Any]) -> str:
        blob = blob_of(msgspec.json.encode(document))
        self._store.tables.setdefault("blobs", {})[self.account_id, blob.sha256] = blob.body
        return blob.sha256
