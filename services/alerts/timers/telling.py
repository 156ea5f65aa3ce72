"""Notifications that are due: tried, and what came of it put on record."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import structlog
from prometheus_client import Counter as Metric

from libs.events.alerts import CATEGORY, NotificationFailed, NotificationSent
from libs.events.envelope import Meta
from libs.events.log import PostgresLog, PostgresUnit
from libs.events.quarantine import Batch, Quarantine
from libs.events.timers import Look
from libs.runtime.ids import jittered, new_uuid
from libs.runtime.postgres import Conflict, Unavailable
from services.alerts.decider.notifying import Notification, Told, after_try
from services.alerts.rules.pace import TRIES
from services.alerts.tables import notifications
from services.alerts.timers.preparing import Desk, Ready

SLOTS = 32
ACCOUNT_SLOTS = 4
"""How many of the slots one account may have: its receivers may hang."""

TOLD = Metric("cueapi_notifications_total", "Tries to tell somebody", ["channel", "status"])

log = structlog.get_logger()


class TellPeople:
    """Tries what is due, as much at once as there are slots; a part that ends when all is told."""

    name = "tell people"

    def __init__(
        self,
        events: PostgresLog,
        desk: Desk,
        *,
        on_free: Callable[[], None],
        on_appended: Callable[[], Awaitable[None]],
    ) -> None:
        self._events = events
        self._desk = desk
        self._on_free = on_free
        self._on_appended = on_appended
        self._running: set[asyncio.Task[None]] = set()
        self._accounts: Counter[str] = Counter()
        self._quarantine = Quarantine("begin notifications")

    async def run(self) -> None:
        """Wait until cancelled; then for the tries on the wire, which end in time."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.drain()

    async def run_once(self) -> Look:
        """Begin what is due and has a slot; say whether more is due and when the next is."""
        room = SLOTS - len(self._running)
        if room <= 0:
            return Look(taken=0)
        return await self._quarantine.look(room, self._look)

    async def _look(self, batch: Batch) -> Look:
        busy = [account for account, count in self._accounts.items() if count >= ACCOUNT_SLOTS]
        next_in = await notifications.next_in(self._events.database, busy, batch.without)
        if next_in is None or next_in > 0:
            return Look(taken=0, next_in=next_in)
        async with self._events.transaction() as unit:
            due = await notifications.take_due(unit, batch, busy)
            lost = [notification for notification in due if notification.tries >= TRIES]
            for notification in lost:
                await _end(unit, notification, Told(status="failed", error="the last try was lost"))
            ready = await self._desk.prepare(unit, self._within_slots(due))
        for item in ready:
            self._start(item)
        if lost:
            await self._on_appended()
        return Look(taken=len(ready), more=bool(due))

    async def drain(self) -> None:
        """Wait until every try that has begun is over and on record."""
        while self._running:
            await asyncio.wait(set(self._running))

    def _within_slots(self, due: Sequence[Notification]) -> list[Notification]:
        taken = Counter(self._accounts)
        chosen = []
        for notification in due:
            if notification.tries < TRIES and taken[notification.account_id] < ACCOUNT_SLOTS:
                taken[notification.account_id] += 1
                chosen.append(notification)
        return chosen

    def _start(self, item: Ready) -> None:
        self._accounts[item.notification.account_id] += 1
        task = asyncio.create_task(self._try(item))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _try(self, item: Ready) -> None:
        try:
            told = await self._record(item.notification, await _sent(item))
            TOLD.labels(item.notification.channel, told.status).inc()
            await self._on_appended()
        finally:
            account = item.notification.account_id
            self._accounts[account] -= 1
            if not self._accounts[account]:
                del self._accounts[account]
            self._on_free()

    async def _record(self, notification: Notification, error: str | None) -> Told:
        while True:
            try:
                async with self._events.transaction() as unit:
                    told = after_try(notification.tries, error, unit.now)
                    await _end(unit, notification, told)
                    return told
            except (Unavailable, Conflict) as failure:
                log.warning("a notification's result waits", error=str(failure))
                await asyncio.sleep(jittered(0.5))


async def _sent(item: Ready) -> str | None:
    try:
        return await item.send()
    except Exception as error:
        log.exception("a notification breaks its sender", subject=item.notification.subject)
        return f"it could not be sent: {type(error).__name__}"


async def _end(unit: PostgresUnit, notification: Notification, told: Told) -> None:
    """Note how a try ended, and put on record which alerts were told by it, or never will be."""
    if not await notifications.end_try(unit, notification, told) or told.status == "waiting":
        return
    alert_ids = [notification.alert_id] if notification.alert_id is not None else []
    if notification.kind == "digest":
        alert_ids += await notifications.end_held(unit, notification, told)
        await notifications.add_digests(unit, {notification.account_id: f"digest:{new_uuid()}"})
    await unit.lock(CATEGORY, alert_ids)
    for alert_id in alert_ids:
        event = (
            NotificationSent(at=unit.now, channel=notification.channel)
            if told.status == "sent"
            else NotificationFailed(
                at=unit.now, channel=notification.channel, error=told.error or ""
            )
        )
        meta = Meta(correlation_id=alert_id, actor="alerts")
        unit.record(CATEGORY, alert_id, notification.account_id, [event], meta)
