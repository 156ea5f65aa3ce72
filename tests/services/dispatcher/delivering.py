"""A dispatcher's parts on real Postgres, with receivers that answer as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from libs.events.base import Event
from libs.events.envelope import decode_event
from libs.events.log import PostgresLog
from libs.runtime.crypto import Keyring
from libs.runtime.health import Health
from services.dispatcher.adapters.webhook import Attempt, Exchange, Sent
from services.dispatcher.decider.attempts import Acknowledged, NotAcknowledged
from services.dispatcher.decider.claims import LeaseTerms
from services.dispatcher.handlers.preparing import Preparing
from services.dispatcher.handlers.results import ResultDesk
from services.dispatcher.rules.circuit import Circuits
from services.dispatcher.rules.slots import Slots
from services.dispatcher.timers.due import DeliverDue
from services.dispatcher.timers.results import Deliveries

OK = Acknowledged(http_status=200)
BROKEN = NotAcknowledged(error="status", message="an error status (503)", http_status=503)


class Receivers:
    """Every callback there is: those whose path begins with `/hang` say nothing until `go`."""

    def __init__(self) -> None:
        self.result: Acknowledged | NotAcknowledged = OK
        self.go = asyncio.Event()
        self.waiting: list[Attempt] = []
        self.heard: list[Attempt] = []

    def host_of(self, url: str | None) -> str:
        return (url or "").split("/")[2]

    async def send(self, attempt: Attempt) -> Sent:
        self.heard.append(attempt)
        if "/hang" in (attempt.settings.callback.url or ""):
            self.waiting.append(attempt)
            await self.go.wait()
            self.waiting.remove(attempt)
        return Sent(result=self.result)

    async def exchange(self, attempt: Attempt, timeout: float) -> Exchange:
        raise AssertionError("no test delivery is sent here")


class Dispatcher:
    """Takes what is due, sends it, and records what came of it; a step at a time."""

    def __init__(self, log: PostgresLog, keyring: Keyring, slots: Slots) -> None:
        self.receivers, self.slots, self.circuits = Receivers(), slots, Circuits()
        self._log = log
        self._results = Deliveries(
            self.receivers,
            ResultDesk(log),
            slots,
            self.circuits,
            Health(),
            on_free=lambda: None,
            on_appended=_nobody_listens,
        )
        self._due = DeliverDue(
            log,
            slots,
            self.circuits,
            self.receivers.host_of,
            Preparing(keyring),
            LeaseTerms(),
            timedelta(seconds=10),
            start=self._results.start,
            on_appended=_nobody_listens,
        )

    async def look(self) -> int:
        """Look at what is due until nothing more can be done about it; give how much was done."""
        done = 0
        more = True
        while more:
            look = await self._due.run_once()
            done, more = done + look.taken, look.more
        return done

    async def step(self) -> int:
        """Look once, and record what has been answered; give how many results there were."""
        await self._due.run_once()
        return await self._record()

    async def serve(self) -> int:
        """As `step`, with all looks that are worth it."""
        await self.look()
        return await self._record()

    async def _record(self) -> int:
        await asyncio.sleep(0)  # what was started is sent
        return await self._results.record_finished()

    async def history(self, execution_id: str) -> list[Event]:
        rows = await self._log.database.rows(
            "select type, schema_version, data::text as data from events where stream_id = %s"
            " order by version",
            [f"execution-{execution_id}"],
        )
        return [decode_event(row["type"], row["schema_version"], row["data"]) for row in rows]


@asynccontextmanager
async def dispatching(
    log: PostgresLog, keyring: Keyring, slots: Slots
) -> AsyncIterator[Dispatcher]:
    """A dispatcher; when the block ends, everything that is due is delivered."""
    dispatcher = Dispatcher(log, keyring, slots)
    try:
        yield dispatcher
    finally:
        dispatcher.receivers.go.set()
        dispatcher.receivers.result = OK
        while await dispatcher.serve() or dispatcher.slots.taken:
            pass


async def _nobody_listens() -> None:
    pass
