"""Results of attempts: load, decide, append."""

from __future__ import annotations

from collections.abc import Sequence

from libs.events.blobs import BlobKey, put_blobs
from libs.events.envelope import Meta
from libs.events.executions import CATEGORY
from libs.events.log import PostgresLog, PostgresUnit
from services.dispatcher import queries
from services.dispatcher.adapters.webhook import Attempt, Sent
from services.dispatcher.decider.attempts import record_result

Finished = tuple[Attempt, Sent]


class ResultDesk:
    """Puts the results of many attempts on record in one transaction."""

    def __init__(self, log: PostgresLog) -> None:
        self._log = log
        self._stored: set[BlobKey] = set()

    async def record(self, finished: Sequence[Finished]) -> None:
        """Record these results. Raises `Unavailable` and `Conflict`, with nothing recorded."""
        async with self._log.transaction() as unit:
            await unit.lock(CATEGORY, {attempt.facts.id for attempt, _ in finished})
            settings = await queries.settings_of(unit, {a.facts.cue_id for a, _ in finished})
            stored = await self._put_blobs(unit, finished)
            for attempt, sent in finished:
                facts = attempt.facts
                execution = unit.state(CATEGORY, facts.id)
                events = record_result(
                    execution, attempt.epoch, sent.result, settings.get(facts.cue_id), unit.now
                )
                meta = Meta(
                    correlation_id=facts.id, actor="dispatcher", traceparent=facts.traceparent
                )
                unit.record(CATEGORY, facts.id, facts.account_id, events, meta)
        self._stored |= stored

    async def _put_blobs(self, unit: PostgresUnit, finished: Sequence[Finished]) -> set[BlobKey]:
        if len(self._stored) > queries.MOST_KNOWN_SETTINGS:
            self._stored.clear()
        new = {
            (attempt.facts.account_id, blob.sha256): blob.body
            for attempt, sent in finished
            for blob in sent.blobs
            if (attempt.facts.account_id, blob.sha256) not in self._stored
        }
        if new:
            await put_blobs(unit.connection, new)
        return set(new)
