"""Work that time starts: cues that are due, and `once` cues whose end nobody told of."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from prometheus_client import Counter, Gauge, Histogram

from libs.events.cues import (
    ActiveCue,
)
from libs.events.envelope import Meta
from libs.events.log import PostgresLog, PostgresUnit
from libs.events.quarantine import Batch, Quarantine
from libs.events.timers import Look
from libs.runtime.clock import monotonic
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from libs.runtime.sampling import note_due
from libs.runtime.telemetry import begin_trace, exemplar_of
from services.scheduler import queries
from services.scheduler.decider import firing
from services.scheduler.decider.limits import Account, counted
from services.scheduler.handlers import settle_once_cues

CUE, EXECUTION = "cue", "execution"
LIMIT = 500
NOTE_SECONDS = 5.0

FIRED = Counter("cueapi_executions_fired_total", "Executions made for slots", ["triggered_by"])
SKIPPED = Counter("cueapi_slots_skipped_total", "Slots that made no execution", ["reason"])
LATENESS = Histogram(
    "cueapi_fire_lateness_seconds",
    "From the slot to the transaction that fired it",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
UNTOLD = Gauge(
    "cueapi_relay_lag_events", "Events the relay has yet to tell, 10000 at most. Sampled"
)
UNTOLD_AGE = Gauge("cueapi_relay_lag_seconds", "Age of the oldest such event; 0 if none. Sampled")
PARKED = Gauge("cueapi_parked_messages", "Messages put aside and not dealt with yet. Sampled")


class FireDueCues:
    """Turns the due slots of due cues into executions, many cues in one transaction.

    While there is a backlog, every other look passes over the accounts that filled the one before,
    so that an account with very many due cues delays the others by one look.
    """

    def __init__(
        self,
        log: PostgresLog,
        *,
        enforce_limits: bool,
        unclaimed: timedelta,
        on_appended: Callable[[], Awaitable[None]],
    ) -> None:
        self._log = log
        self._on_appended = on_appended
        self._enforce = enforce_limits
        self._unclaimed = unclaimed
        self._served: list[str] = []
        self._quarantine = Quarantine("fire due cues")
        self._noted_at = float("-inf")

    async def run_once(self) -> Look:
        """Fire what is due now; say whether more is due and when the next cue is."""
        began = monotonic()
        look = await self._quarantine.look(LIMIT, self._look)
        if began - self._noted_at >= NOTE_SECONDS:
            self._noted_at = began
            milliseconds = round((monotonic() - began) * 1000)
            await queries.note_look(self._log.database, look.taken, milliseconds)
        return look

    async def _look(self, batch: Batch) -> Look:
        next_in = await queries.next_in(self._log.database, batch.without)
        if next_in is None or next_in > 0:
            return Look(taken=0, next_in=next_in)
        without, self._served = self._served, []
        async with self._log.transaction() as unit:
            due = await queries.take_due(unit, batch, without)
            accounts: dict[str, Account] = {}
            if self._enforce and due:
                owners = {unit.state(CUE, cue_id).facts.account_id for cue_id in due}
                accounts = await queries.usage(unit, owners)
            for cue_id in due:
                self._fire(unit, cue_id, accounts)
            turns = Counts(unit.state(CUE, cue_id).facts.account_id for cue_id in due)
        if due:
            await self._on_appended()
        if len(due) == LIMIT:
            self._served = [account for account, count in turns.items() if count > LIMIT / 2]
        return Look(taken=len(due), more=bool(due or without))

    def _fire(self, unit: PostgresUnit, cue_id: str, accounts: dict[str, Account]) -> None:
        cue = unit.state(CUE, cue_id)
        due = firing.due_now(cue, unit.now)
        if due is None:
            return
        assert isinstance(cue, ActiveCue)
        account_id = cue.facts.account_id
        account = accounts.get(account_id, Account())
        begun = [begin_trace("fire") for _ in due.fires]
        ids = [(new_uuid(), traceparent) for _, traceparent in begun]
        fired = firing.fire_due(cue, due, ids, account, unit.now, self._unclaimed)
        for event in fired.executions:
            meta = Meta(
                correlation_id=event.execution_id,
                actor="system",
                traceparent=event.traceparent,
            )
            unit.record(EXECUTION, event.execution_id, account_id, [event], meta)
            account = counted(account, event)
            FIRED.labels(event.triggered_by).inc()
            lateness = (unit.now - event.scheduled_for).total_seconds()
            LATENESS.observe(lateness, exemplar_of(event.traceparent))
        accounts[account_id] = account
        for span, _ in begun:
            if span is not None:
                span.end()
        if fired.events:
            meta = Meta(correlation_id=cue_id, actor="system")
            unit.record(CUE, cue_id, account_id, fired.events, meta)
        for skip in due.skips:
            SKIPPED.labels(skip.reason).inc(skip.count)


async def sample(database: Database) -> None:
    """Read into the metrics what waits for the scheduler and for the relay."""
    found = await queries.waiting(database)
    note_due("cues", found.cues_due_age)
    UNTOLD.set(found.untold_events)
    UNTOLD_AGE.set(found.untold_age or 0.0)
    PARKED.set(found.parked)


class SettleOnceCues:
    """Ends `once` cues whose run has ended: those it was told of, and those nobody told of."""

    def __init__(self, log: PostgresLog, *, on_appended: Callable[[], Awaitable[None]]) -> None:
        self._log = log
        self._on_appended = on_appended
        self._hinted: set[str] = set()

    def hint(self, execution_ids: Iterable[str]) -> None:
        """Look at these executions with the next look."""
        self._hinted.update(execution_ids)

    async def run_once(self) -> Look:
        """Settle what has ended."""
        hinted, self._hinted = self._hinted, set()
        settled = await settle_once_cues(self._log, hinted)
        if settled:
            await self._on_appended()
        return Look(taken=settled)
