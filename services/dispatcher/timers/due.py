"""What is due: attempts to start, leases that ended, executions that nobody claimed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from prometheus_client import Counter as Metric
from prometheus_client import Histogram

from libs.events.base import Transport
from libs.events.envelope import Meta
from libs.events.execution_events import (
    AttemptLost,
    AttemptPostponed,
    AttemptStarted,
    DeliveryEvent,
    ExecutionMissed,
    LeaseExpired,
)
from libs.events.executions import CATEGORY, Claimed, Delivering
from libs.events.log import PostgresLog, PostgresUnit
from libs.events.quarantine import Batch, Quarantine
from libs.events.timers import Look
from libs.runtime.clock import monotonic
from libs.runtime.ids import jittered
from libs.runtime.postgres import Database
from libs.runtime.sampling import note_due
from libs.runtime.telemetry import exemplar_of
from services.dispatcher import queries
from services.dispatcher.adapters.webhook import Attempt
from services.dispatcher.decider.attempts import lose_attempt, postpone_attempt, start_attempt
from services.dispatcher.decider.claims import LeaseTerms, end_lease, miss
from services.dispatcher.handlers.preparing import Planned, Preparing
from services.dispatcher.queries import DueExecution
from services.dispatcher.rules.circuit import FIRST_PAUSE, Circuits, Verdict
from services.dispatcher.rules.slots import Slots

TAKE = 64

LATENESS = Histogram(
    "cueapi_delivery_lateness_seconds",
    "From the time an attempt was due to its start",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
POSTPONED = Metric("cueapi_attempts_postponed_total", "Times that a failing destination waited")
LOST = Metric(
    "cueapi_attempts_lost_total",
    "Attempts whose result nobody put on record: our fault, not theirs",
)
EXPIRED = Metric("cueapi_leases_expired_total", "Claims taken back from workers that fell silent")
MISSED = Metric("cueapi_executions_missed_total", "Executions that no worker claimed in time")


class DeliverDue:
    """Starts the attempts that are due, as many as there are slots, in one transaction.

    A look is short, and while there is a backlog every other look passes over the account that
    filled most of the one before: so very many due attempts of one delay the others by a look.
    """

    def __init__(
        self,
        log: PostgresLog,
        slots: Slots,
        circuits: Circuits,
        host_of: Callable[[str | None], str],
        preparing: Preparing,
        terms: LeaseTerms,
        margin: timedelta,
        *,
        start: Callable[[Attempt], None],
        on_appended: Callable[[], Awaitable[None]],
    ) -> None:
        self._log = log
        self._slots = slots
        self._circuits = circuits
        self._host_of = host_of
        self._preparing = preparing
        self._terms = terms
        self._margin = margin
        self._start = start
        self._on_appended = on_appended
        self._crowding: str | None = None
        self._quarantine = Quarantine("deliver due executions")

    async def run_once(self) -> Look:
        """Take what is due and has a slot; say whether more is due and when the next is."""
        limit = min(TAKE, self._slots.room)
        if limit <= 0:
            return Look(taken=0)
        return await self._quarantine.look(limit, self._look)

    async def _look(self, batch: Batch) -> Look:
        next_in = await queries.next_in(self._log.database, batch.without)
        if next_in is None or next_in > 0:
            return Look(taken=0, next_in=next_in)
        passed_over = self._crowding
        due, recorded, attempts = await self._take(batch)
        for attempt in attempts:
            self._start(attempt)
        if recorded:
            await self._on_appended()
        # What waits for a slot is looked at again when one is given back.
        more = bool(recorded) or due == batch.limit or passed_over is not None
        return Look(taken=recorded, more=more)

    async def _take(self, batch: Batch) -> tuple[int, int, list[Attempt]]:
        saturated, held = self._slots.saturated_accounts(), self._slots.held_cues()
        if self._crowding is not None:
            saturated.append(self._crowding)
        started: list[DueExecution] = []
        try:
            async with self._log.transaction() as unit:
                due = await queries.take_due(unit, batch, saturated=saturated, held=held)
                recorded = await self._decide(unit, due, started)
                planned = [_planned(unit, item) for item in started]
                attempts = await self._preparing.attempts(unit, planned)
        except BaseException:
            for item in started:
                self._release(item)
            raise
        self._crowding = self._crowding_now(due, batch)
        return len(due), recorded, attempts

    def _crowding_now(self, due: Sequence[DueExecution], batch: Batch) -> str | None:
        if self._crowding is not None or batch.narrowed or len(due) < batch.limit:
            return None
        accounts = Counter(item.execution.facts.account_id for item in due)
        account, count = accounts.most_common(1)[0]
        return account if count > batch.limit // 2 else None

    async def _decide(
        self, unit: PostgresUnit, due: Sequence[DueExecution], started: list[DueExecution]
    ) -> int:
        claimed = [i.execution for i in due if isinstance(i.execution, Claimed)]
        beats = {}
        if claimed:
            workers = [(c.facts.account_id, c.worker_id) for c in claimed]
            beats = await queries.heartbeats_of(unit, workers)
        recorded = 0
        for item in due:
            execution, facts = item.execution, item.execution.facts
            if isinstance(execution, Claimed):
                beat = beats.get((facts.account_id, execution.worker_id))
                events = end_lease(execution, item.settings, beat, self._terms, unit.now)
            else:
                events = self._of_attempt(unit, item, started)
            if events:
                _count(events[0])
                meta = Meta(
                    correlation_id=facts.id, actor="dispatcher", traceparent=facts.traceparent
                )
                unit.record(CATEGORY, facts.id, facts.account_id, events, meta)
                recorded += 1
        return recorded

    def _of_attempt(
        self, unit: PostgresUnit, item: DueExecution, started: list[DueExecution]
    ) -> list[DeliveryEvent]:
        execution, settings = item.execution, item.settings
        if execution.facts.transport is Transport.WORKER:
            return miss(execution, settings, unit.now)
        if isinstance(execution, Delivering):
            return lose_attempt(execution, settings, unit.now)
        events = start_attempt(execution, settings, unit.now, self._margin)
        if not events or not isinstance(events[0], AttemptStarted):
            return events
        if (postponed := self._postponed(unit, item)) is not None:
            POSTPONED.inc()
            return [postponed]
        if not self._take_slot(item):
            return []
        self._circuits.begin(execution.facts.account_id, self._host(item))
        started.append(item)
        LATENESS.observe(_lateness(item, unit), exemplar_of(execution.facts.traceparent))
        return events

    def _postponed(self, unit: PostgresUnit, item: DueExecution) -> AttemptPostponed | None:
        account_id = item.execution.facts.account_id
        wait = self._circuits.wait_of(account_id, self._host(item), monotonic())
        if not wait:
            return None
        # Spread over twice the time, for all who wait would come together.
        seconds = 2 * jittered(max(wait, FIRST_PAUSE))
        return postpone_attempt(item.execution, timedelta(seconds=seconds), unit.now)

    def _take_slot(self, item: DueExecution) -> bool:
        facts = item.execution.facts
        return self._slots.take(facts.account_id, self._host(item), facts.cue_id)

    def _release(self, item: DueExecution) -> None:
        account_id, host, now = item.execution.facts.account_id, self._host(item), monotonic()
        self._circuits.end(account_id, host, Verdict.UNKNOWN, now, now, 1.0)
        self._slots.release(account_id, host)

    def _host(self, item: DueExecution) -> str:
        return self._host_of(item.settings.callback.url) if item.settings else ""


async def sample(database: Database) -> None:
    """Read into the metrics for how long deliveries have been due."""
    note_due("delivery", await queries.oldest_due(database))


def _count(event: DeliveryEvent) -> None:
    match event:
        case AttemptLost():
            LOST.inc()
        case LeaseExpired():
            EXPIRED.inc()
        case ExecutionMissed():
            MISSED.inc()
        case _:
            return


def _planned(unit: PostgresUnit, item: DueExecution) -> Planned:
    assert item.settings is not None, "an attempt of a deleted cue is never started"
    facts = unit.state(CATEGORY, item.execution.facts.id).facts
    return Planned(facts=facts, epoch=facts.attempts, settings=item.settings)


def _lateness(item: DueExecution, unit: PostgresUnit) -> float:
    due_at = getattr(item.execution, "due_at", unit.now)
    return float((unit.now - due_at).total_seconds())
