"""The four services as their `app.py` puts them together, over the store and without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from libs.events.base import category_of, key_of
from libs.events.cues import (
    CATEGORY as CUE,
)
from libs.events.cues import (
    ActiveCue,
)
from libs.events.envelope import CommandEnvelope, Notice, Reply
from libs.events.execution_events import OutcomeReported
from libs.events.execution_rows import (
    TERMINAL,
    status,
)
from libs.events.executions import CATEGORY as EXECUTION
from libs.events.handle import Desk, handle
from libs.events.log import PostgresLog
from libs.events.timers import Look
from libs.runtime.crypto import Keyring
from libs.runtime.health import Health
from services.alerts.handlers import AlertDesk, raise_alerts, watch_cues
from services.alerts.rules.links import Links
from services.alerts.timers.noticing import NoticeAccounts
from services.alerts.timers.preparing import Desk as NotificationDesk
from services.alerts.timers.telling import TellPeople
from services.alerts.timers.windows import WatchWindows
from services.dispatcher.decider.claims import LeaseTerms
from services.dispatcher.handlers.preparing import Preparing
from services.dispatcher.handlers.results import ResultDesk
from services.dispatcher.handlers.workers import WorkerDesk
from services.dispatcher.rules.circuit import Circuits
from services.dispatcher.rules.slots import Slots
from services.dispatcher.timers.due import DeliverDue
from services.dispatcher.timers.results import GATHER_SECONDS, Deliveries
from services.outcomes.handlers import OutcomeDesk
from services.outcomes.timers import DecideDueOutcomes
from services.scheduler.handlers import CueDesk, pause_failing_cues
from services.scheduler.timers import FireDueCues, SettleOnceCues
from tests.simulation.engine import Process, Pump
from tests.simulation.receivers import Mailbox, Receiver
from tests.simulation.store import Store

UNCLAIMED = timedelta(seconds=900)
MARGIN = timedelta(seconds=10)
TERMS = LeaseTerms()
KEYRING = Keyring.derived_from("a secret of the simulation's own, of 32 characters")
LINKS = Links(dashboard_url="", base_url="https://cueapi.example.com")


class Outside:
    """What the services reach beyond the store: receivers of webhooks, and mailboxes."""

    def __init__(self, receiver: Receiver, mailbox: Mailbox) -> None:
        self.receiver = receiver
        self.mailbox = mailbox


Make = Callable[[Process, Store, Outside], None]
"""Gives a new process its handlers and timers."""


def _log(process: Process, store: Store) -> Any:
    # The services name the Postgres form; the store is its twin, statement by statement.
    return cast("PostgresLog", store.through(process.step))


def _nearest(store: Store, category: str, column: str) -> Callable[[], datetime | None]:
    due = store.searched[category, column]
    return lambda: min(due.values(), default=None)


def commands_of(process: Process, log: Any, desk: Desk[Any]) -> None:
    """Handle this process's commands at a desk."""

    async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        replies = await handle(log, envelopes, desk)
        await process.nudge_relay()
        return replies

    process.commands = commands


def scheduler(process: Process, store: Store, _: Outside) -> None:
    log = _log(process, store)
    fire = FireDueCues(
        log, enforce_limits=True, unclaimed=UNCLAIMED, on_appended=process.nudge_relay
    )
    firing = Pump(process, fire.run_once, _nearest(store, "cue", "next_run"))
    settle = SettleOnceCues(log, on_appended=process.nudge_relay)

    def unsettled() -> datetime | None:
        for key in store.settling:
            cue = store.state(CUE, key)
            execution = store.state(EXECUTION, cue.facts.scheduled_id or "")
            waits = execution is not None and isinstance(cue, ActiveCue)
            if waits and status(execution) in TERMINAL:
                return store.clock()
        return None

    settling = Pump(process, settle.run_once, unsettled)
    desk = CueDesk(enforce_limits=True, unclaimed=UNCLAIMED, on_nearer=firing.nudge)
    commands_of(process, log, desk)

    async def events(notices: Sequence[Notice]) -> None:
        settle.hint(key_of(notice.stream_id) for notice in notices)
        settling.nudge()
        if await pause_failing_cues(log, notices):
            await process.nudge_relay()

    process.events = events


def dispatcher(process: Process, store: Store, outside: Outside) -> None:
    log = _log(process, store)
    slots, circuits, webhook = Slots(64, 16, 8), Circuits(), outside.receiver.of(process)
    deliveries = Deliveries(
        webhook,
        ResultDesk(log),
        slots,
        circuits,
        Health(),
        on_free=lambda: due.nudge(),
        on_appended=process.nudge_relay,
    )
    recording = Pump(process, deliveries.record_finished, lambda: None)
    webhook.on_answer = lambda: recording.nudge(GATHER_SECONDS)
    deliver = DeliverDue(
        log,
        slots,
        circuits,
        webhook.host_of,
        Preparing(KEYRING),
        TERMS,
        MARGIN,
        start=deliveries.start,
        on_appended=process.nudge_relay,
    )
    due = Pump(process, deliver.run_once, _nearest(store, EXECUTION, "delivery_due_at"))
    commands_of(process, log, WorkerDesk(TERMS))

    async def events(_: Sequence[Notice]) -> None:
        due.nudge()

    process.events = events


def outcomes(process: Process, store: Store, _: Outside) -> None:
    log = _log(process, store)
    decide = DecideDueOutcomes(log, on_appended=process.nudge_relay)
    due = Pump(process, decide.run_once, _nearest(store, EXECUTION, "outcome_due_at"))
    commands_of(process, log, OutcomeDesk())

    async def events(_: Sequence[Notice]) -> None:
        due.nudge()

    process.events = events


def alerts(process: Process, store: Store, outside: Outside) -> None:
    log = _log(process, store)
    desk = NotificationDesk(outside.mailbox, outside.receiver.hooks_of(process), KEYRING, LINKS)
    tell = TellPeople(log, desk, on_free=lambda: telling.nudge(), on_appended=process.nudge_relay)
    telling = Pump(process, tell.run_once, _nearest_row(store, "notifications"))

    async def raised() -> None:
        telling.nudge()
        await process.nudge_relay()

    windows = WatchWindows(log, on_appended=raised)
    watching = Pump(process, windows.run_once, _nearest_row(store, "cue_watches"))

    async def notice_accounts() -> Look:
        return await NoticeAccounts(log).run_once()

    noticing = Pump(process, notice_accounts, lambda: None)
    process.every(600.0, noticing.nudge)
    commands_of(process, log, AlertDesk())

    async def events(notices: Sequence[Notice]) -> None:
        if cues := [n for n in notices if category_of(n.stream_id) == CUE]:
            await watch_cues(log, cues)
        bad = [n for n in notices if category_of(n.stream_id) == EXECUTION and not _is_good(n)]
        if bad:
            await raise_alerts(log, bad, LINKS)
            watching.nudge()
            await raised()

    process.events = events


def _nearest_row(store: Store, table: str) -> Callable[[], datetime | None]:
    dues = store.dues[table]
    return lambda: min(dues.values(), default=None)


def _is_good(notice: Notice) -> bool:
    return notice.type == OutcomeReported.__name__ and notice.success is True


SERVICES: Mapping[str, Make] = {
    "scheduler": scheduler,
    "dispatcher": dispatcher,
    "outcomes": outcomes,
    "alerts": alerts,
}
