"""A process that receives, made of the parts that a service has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from deploy.local.waiting import until
from libs.events.bus import Bus
from libs.events.envelope import CommandEnvelope, Notice, Reply, encode
from libs.events.handle import handle
from libs.events.log import PostgresLog
from libs.events.receive import HandleCommands, HandleNotices, Receiver
from libs.events.subjects import COMMANDS, EVENTS, event_subject
from libs.runtime.clock import utc_now
from libs.runtime.health import Health
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from tests.libs.events.shop import Shop

SECONDS = 20.0
CREATE = "commands.scheduler.create_cue"
REACTED = "AttemptSucceeded"


def soon(_: int) -> float:
    """Put a message back for a moment only."""
    return 0.01


@asynccontextmanager
async def receiving(
    bus: Bus,
    database: Database,
    *,
    commands: HandleCommands | None = None,
    events: HandleNotices | None = None,
    service: str = "scheduler",
    delay: Callable[[int], float] = soon,
) -> AsyncIterator[asyncio.Task[None]]:
    """Receive a service's messages while the block runs."""
    receiver = Receiver(bus, database, Health(), delay=delay)
    if commands is not None:
        receiver.commands(service, commands)
    if events is not None:
        receiver.events(service, events)
    task = asyncio.create_task(receiver.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def shop_on(log: PostgresLog) -> HandleCommands:
    """The shop's handler."""

    async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        return await handle(log, envelopes, Shop())

    return commands


def notice_of(event_type: str) -> Notice:
    """A notice of an event that is nowhere."""
    return Notice(
        id=new_uuid(),
        type=event_type,
        stream_id=f"execution-{new_uuid()}",
        version=1,
        account_id=new_uuid(),
        recorded_at=utc_now(),
    )


async def parked(database: Database) -> list[dict[str, object]]:
    """Take the parked messages out."""
    return await database.rows(
        "delete from parked_messages returning consumer, subject, body, error"
    )


async def is_done_with(bus: Bus, stream: str, consumer: str) -> bool:
    """Whether a consumer has nothing before it and nothing in hand."""
    info = await bus.jetstream.consumer_info(stream, consumer)
    return not info.num_pending and not info.num_ack_pending


async def send(bus: Bus, envelope: CommandEnvelope) -> None:
    """Send the scheduler a command whose answer nobody awaits."""
    await bus.publish(COMMANDS, CREATE, encode(envelope), new_uuid())


async def tell(bus: Bus, *notices: Notice) -> None:
    """Tell of events to which the scheduler reacts."""
    await bus.publish(EVENTS, event_subject(REACTED), encode(notices), new_uuid())


async def commands_done(bus: Bus) -> None:
    """Wait until the scheduler has nothing to do any more."""
    await until(partial(is_done_with, bus, COMMANDS, "scheduler-commands"), SECONDS)


async def events_done(bus: Bus) -> None:
    """Wait until the scheduler has heard of everything."""
    await until(partial(is_done_with, bus, EVENTS, "scheduler-events"), SECONDS)
