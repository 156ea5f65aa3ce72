"""The dispatcher's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from libs.events.envelope import CommandEnvelope, Notice, Reply
from libs.events.execution_commands import SendTestDelivery
from libs.events.handle import handle
from libs.events.service import Resources, run_service
from libs.events.timers import DueLoop
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.names import NameLookup
from libs.runtime.sampling import Sampling
from libs.runtime.supervisor import Opened, Part
from services.dispatcher.adapters.webhook import HttpWebhook
from services.dispatcher.decider.claims import LeaseTerms
from services.dispatcher.handlers.preparing import Preparing
from services.dispatcher.handlers.results import ResultDesk
from services.dispatcher.handlers.trying import MOST_TESTS, DeliveryTests
from services.dispatcher.handlers.workers import WorkerDesk
from services.dispatcher.rules.circuit import Circuits
from services.dispatcher.rules.slots import Slots
from services.dispatcher.settings import DispatcherSettings
from services.dispatcher.timers.due import DeliverDue, sample
from services.dispatcher.timers.results import Deliveries

NAME = "dispatcher"
AGENT = "CueAPI/1.0"


def main() -> int:
    """Run the dispatcher; give the exit code."""
    settings = DispatcherSettings()
    return run_service(NAME, settings, partial(_assemble, settings))


def _assemble(settings: DispatcherSettings, resources: Resources) -> Sequence[Part]:
    policy = settings.announced_egress()
    client = OutboundClient(
        policy,
        NameLookup(),
        user_agent=AGENT,
        max_connections=settings.concurrency + MOST_TESTS,
    )
    terms = LeaseTerms(
        claim_seconds=settings.claim_timeout_seconds,
        silence_seconds=settings.heartbeat_timeout_seconds,
        unclaimed_seconds=settings.unclaimed_timeout_seconds,
    )
    slots = Slots(settings.concurrency, settings.account_concurrency, settings.host_concurrency)
    circuits = Circuits()
    webhook = HttpWebhook(client, policy)
    preparing = Preparing(settings.keyring())
    appended = partial(resources.bus.nudge, "relay")
    deliveries = Deliveries(
        webhook,
        ResultDesk(resources.log),
        slots,
        circuits,
        resources.health,
        on_free=lambda: due.nudge(),
        on_appended=appended,
    )
    deliver = DeliverDue(
        resources.log,
        slots,
        circuits,
        webhook.host_of,
        preparing,
        terms,
        timedelta(seconds=settings.lease_margin_seconds),
        start=deliveries.start,
        on_appended=appended,
    )
    due = DueLoop("deliver due executions", deliver.run_once, resources.health)
    desk = WorkerDesk(terms)

    async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        replies = await handle(resources.log, envelopes, desk)
        await appended()
        return replies

    async def events(_: Sequence[Notice]) -> None:
        due.nudge()

    tests = DeliveryTests(resources.log, preparing, webhook, AGENT)
    resources.receiver.calls(SendTestDelivery, tests.send)
    resources.receiver.commands(NAME, commands)
    resources.receiver.events(NAME, events)
    sampling = Sampling(partial(sample, resources.database), resources.health)
    return [Opened("outbound connections", client), deliveries, sampling, due]
