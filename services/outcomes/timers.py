"""Work that time starts: outcomes found in answers, and deadlines that pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from prometheus_client import Counter, Gauge

from libs.events.envelope import Meta
from libs.events.executions import CATEGORY
from libs.events.log import PostgresLog
from libs.events.quarantine import Batch, Quarantine
from libs.events.timers import Look
from libs.runtime.postgres import Database
from libs.runtime.sampling import note_due
from services.outcomes import queries
from services.outcomes.decider import due

LIMIT = 500

DECIDED = Counter("cueapi_outcomes_decided_total", "Due outcomes that were decided", ["event"])
OPEN = Gauge(
    "cueapi_executions_open",
    "Executions by state that are not over, 20000 of each kind at most. Sampled",
    ["state"],
)


class DecideDueOutcomes:
    """Decides due outcomes, many in one transaction."""

    def __init__(self, log: PostgresLog, *, on_appended: Callable[[], Awaitable[None]]) -> None:
        self._log = log
        self._on_appended = on_appended
        self._quarantine = Quarantine("decide due outcomes")

    async def run_once(self) -> Look:
        """Decide what is due now; say whether more is due and when the next is."""
        return await self._quarantine.look(LIMIT, self._look)

    async def _look(self, batch: Batch) -> Look:
        next_in = await queries.next_in(self._log.database, batch.without)
        if next_in is None or next_in > 0:
            return Look(taken=0, next_in=next_in)
        async with self._log.transaction() as unit:
            taken = await queries.take_due(unit, batch)
            for execution, mode in taken:
                facts = execution.facts
                events = due(execution, mode, unit.now)
                meta = Meta(
                    correlation_id=facts.id, actor="outcomes", traceparent=facts.traceparent
                )
                unit.record(CATEGORY, facts.id, facts.account_id, events, meta)
                for event in events:
                    DECIDED.labels(type(event).__name__).inc()
        if taken:
            await self._on_appended()
        return Look(taken=len(taken), more=bool(taken))


async def sample(database: Database) -> None:
    """Read into the metrics what is open, and for how long outcomes have been due."""
    found = await queries.read_open(database)
    note_due("outcome", found.due_age)
    OPEN.labels("pending").set(found.pending)
    OPEN.labels("delivering").set(found.delivering)
    OPEN.labels("retrying").set(found.retrying)
    OPEN.labels("awaiting_outcome").set(found.awaiting_outcome)
