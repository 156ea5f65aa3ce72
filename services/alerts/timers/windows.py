"""Windows that are missed: a cue's slots that passed without a success."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from libs.events.envelope import Meta
from libs.events.log import PostgresLog, PostgresUnit
from libs.events.quarantine import Batch, Quarantine
from libs.events.timers import Look
from services.alerts import queries
from services.alerts.decider.windows import KIND, KNOWN_ALERTS, Watch, look
from services.alerts.handlers import Raised, announce, raise_alert
from services.alerts.tables import watches

LIMIT = 200


class WatchWindows:
    """Looks at the watched cues that are due, many in one transaction."""

    def __init__(self, log: PostgresLog, *, on_appended: Callable[[], Awaitable[None]]) -> None:
        self._log = log
        self._on_appended = on_appended
        self._quarantine = Quarantine("watch windows")

    async def run_once(self) -> Look:
        """Look at what is due now; say whether more is due and when the next is."""
        return await self._quarantine.look(LIMIT, self._look)

    async def _look(self, batch: Batch) -> Look:
        next_in = await watches.next_in(self._log.database, batch.without)
        if next_in is None or next_in > 0:
            return Look(taken=0, next_in=next_in)
        async with self._log.transaction() as unit:
            due = await watches.take_due(unit, batch)
            raised = await _look_at(unit, due) if due else 0
        if raised:
            await self._on_appended()
        return Look(taken=len(due), more=bool(due))


async def _look_at(unit: PostgresUnit, due: Sequence[Watch]) -> int:
    cue_ids = {watch.cue_id for watch in due}
    cues = await queries.cues_of(unit, cue_ids)
    successes = await queries.successes(unit, cue_ids)
    latest = await queries.latest_alerts(unit, cue_ids, KIND, KNOWN_ALERTS)
    seen: dict[str, Watch | None] = {}
    raised: list[Raised] = []
    for watch in due:
        key = watch.cue_id
        cue = cues.get(key)
        verdict = look(watch, cue, successes[key], latest.get(key, ()), unit.now)
        seen[key] = verdict.watch
        if cue is not None and verdict.called is not None:
            cause = Meta(correlation_id=key, actor="alerts")
            event = raise_alert(unit, verdict.called, key, watch.account_id, cause)
            raised.append((event, cue.facts.settings))
    await announce(unit, raised)
    await watches.put_watches(unit, seen)
    return len(raised)
