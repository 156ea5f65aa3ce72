"""Subscribing: durable consumers whose messages reach their handler in micro-batches.

What arrives while a batch is handled is handled together in the next one, and acknowledged after
the commit. A message that breaks its handler comes
back with a growing delay, and is parked in Postgres after `PARK_AFTER` deliveries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import cache
from typing import Any

import msgspec
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage
from prometheus_client import Counter, Gauge, Histogram

from libs.events.base import Command, Rejection, Value
from libs.events.bus import Bus
from libs.events.envelope import (
    CommandEnvelope,
    Meta,
    Notice,
    Reply,
    Undecodable,
    decode,
    decode_command,
    encode,
)
from libs.events.provision import is_provisioned
from libs.events.subjects import COMMAND_TYPES, Consumer, commands_consumer, events_consumer
from libs.events.tracing import decided, heard
from libs.runtime.clock import monotonic
from libs.runtime.health import Health
from libs.runtime.ids import jittered
from libs.runtime.postgres import Database, Unavailable

log = structlog.get_logger()

BATCH = 200
PARK_AFTER = 5
LONGEST_DELAY = 30.0

COMMANDS = Counter(
    "cueapi_commands_total",
    "Commands that were handled: accepted, refused, not now (unavailable), or not at all (broken)",
    ["command", "result"],
)
COMMAND_SECONDS = Histogram(
    "cueapi_command_duration_seconds",
    "From a command's arrival in a batch to its reply",
    ["command"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
BATCHES = Histogram(
    "cueapi_batch_messages",
    "Messages that were handled together",
    ["consumer"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200),
)
PARKED = Counter(
    "cueapi_messages_parked_total", "Messages put aside, for they broke their handler", ["consumer"]
)
CONNECTED = Gauge("cueapi_broker_connected", "1 while the broker can be reached")

HandleCommands = Callable[[Sequence[CommandEnvelope]], Awaitable[Sequence[Reply]]]
HandleCall = Callable[[Any, Meta], Awaitable[Value | Rejection]]
HandleNotices = Callable[[Sequence[Notice]], Awaitable[None]]


def growing_delay(deliveries: int) -> float:
    """Seconds until a message that was delivered so many times comes back."""
    return jittered(min(2.0**deliveries, LONGEST_DELAY))


class Receiver:
    """A part of a process: connects the bus, then receives until cancelled.

    `delay` gives the seconds after which a message comes back, by the count of its deliveries.
    """

    name = "bus"

    def __init__(
        self,
        bus: Bus,
        database: Database,
        health: Health,
        *,
        delay: Callable[[int], float] = growing_delay,
    ) -> None:
        self._delay = delay
        self._bus = bus
        self._database = database
        self._health = health
        self._consumers: list[Consumer] = []
        self._nudged: dict[str, Callable[[], None]] = {}
        self._hears: list[Callable[[bytes], None]] = []
        self._calls: dict[type[Command], Callable[[bytes], Coroutine[Any, Any, bytes]]] = {}

    def commands(self, service: str, handle: HandleCommands) -> None:
        """Bring this service its commands; replies go out after `handle` has returned."""
        consumer = commands_consumer(service)

        async def on_batch(messages: Sequence[NatsMessage]) -> None:
            began = monotonic()
            envelopes = await self._decoded(messages, CommandEnvelope)
            with decided(consumer.name, [envelope for _, envelope in envelopes]) as commands:
                replies = await handle(commands)
            answered = {reply.command_id: reply for reply in replies}
            askers: dict[str, list[Reply]] = {}
            for _, envelope in envelopes:
                if envelope.id not in answered or envelope.reply_to is None:
                    continue
                if envelope.together:
                    askers.setdefault(envelope.reply_to, []).append(answered[envelope.id])
                else:
                    await self._bus.reply(envelope.reply_to, answered[envelope.id])
            for asker, its_replies in askers.items():
                await self._bus.reply(asker, its_replies)
            seconds = monotonic() - began
            for message, envelope in envelopes:
                _count(envelope, answered.get(envelope.id), seconds)
                if envelope.id in answered:
                    await message.ack()
                else:
                    await self._put_back(message, f"{envelope.type} breaks its handler")

        self._subscribe(consumer, on_batch)

    def events(self, service: str, handle: HandleNotices) -> None:
        """Bring this service notices of the events that it reacts to."""
        consumer = events_consumer(service)

        async def on_batch(messages: Sequence[NatsMessage]) -> None:
            lists = await self._decoded(messages, list[Notice])
            notices = [notice for _, its_notices in lists for notice in its_notices]
            with heard(consumer.name, notices):
                await handle(notices)
            for message, _ in lists:
                await message.ack()

        self._subscribe(consumer, on_batch)

    def calls(self, kind: type[Command], handle: HandleCall) -> None:
        """Bring this replica its share of the calls of one kind; see `Bus.call`."""

        async def answer(body: bytes) -> bytes:
            envelope = decode(body, CommandEnvelope)
            try:
                verdict = await handle(decode_command(envelope, COMMAND_TYPES), envelope.meta)
            except Unavailable as error:
                log.warning("a call was not handled", command=envelope.type, error=str(error))
                return encode(Reply(command_id=envelope.id, unavailable=True))
            if isinstance(verdict, Rejection):
                return encode(Reply(command_id=envelope.id, rejection=verdict))
            return encode(Reply(command_id=envelope.id, answer=msgspec.Raw(encode(verdict))))

        self._calls[kind] = answer

    def nudges(self, what: str, look: Callable[[], None]) -> None:
        """Call `look` when somebody hints at work for `what`."""
        self._nudged[what] = look

    def overhears(self, hear: Callable[[bytes], None]) -> None:
        """Call `hear` with every message of notices, as hints: some may be missed."""
        self._hears.append(hear)

    async def run(self) -> None:
        """Connect, wait for provisioning, and receive until cancelled."""
        CONNECTED.set_function(lambda: float(self._bus.connected))
        await self._bus.connect()
        for what, look in self._nudged.items():
            await self._bus.on_nudge(what, look)
        if self._hears:
            await self._bus.on_notices(self._heard)
        for kind, answer in self._calls.items():
            await self._bus.on_call(kind, answer)
        await self._wait_until_provisioned()
        await self._bus.broker.start()
        try:
            await self._bus.closed.wait()
        finally:
            await self._bus.close()

    def _heard(self, body: bytes) -> None:
        for hear in self._hears:
            hear(body)

    async def _wait_until_provisioned(self) -> None:
        while True:
            missing = [
                consumer.name
                for consumer in self._consumers
                if not await is_provisioned(self._bus.jetstream, consumer)
            ]
            if not missing:
                return
            log.warning("run `python -m libs.events provision`", missing=missing)
            await asyncio.sleep(1)

    def _subscribe(self, consumer: Consumer, on_batch: Any) -> None:
        self._consumers.append(consumer)
        batcher = _Batcher(on_batch, self._put_back, BATCHES.labels(consumer.name).observe)
        self._bus.broker.subscriber(
            consumer.subjects[0],
            consumer.name,
            stream=JStream(name=consumer.stream, declare=False),
            max_workers=consumer.max_ack_pending,
            ack_policy=AckPolicy.MANUAL,
            decoder=_undecoded,
            title=consumer.name,
        )(batcher.handle)

    async def _decoded(self, messages: Sequence[NatsMessage], kind: Any) -> list[tuple[Any, Any]]:
        decoded = []
        for message in messages:
            try:
                decoded.append((message, decode(message.body, kind)))
            except Undecodable as error:
                await self._park(message, str(error))
        return decoded

    async def _put_back(self, message: NatsMessage, error: str) -> None:
        deliveries = message.raw_message.metadata.num_delivered or 1
        if deliveries >= PARK_AFTER:
            await self._park(message, error)
        else:
            await message.nack(delay=self._delay(deliveries))

    async def _park(self, message: NatsMessage, error: str) -> None:
        subject = message.raw_message.subject
        log.error("a message is parked", subject=subject, error=error)
        try:
            await self._database.execute(
                "insert into parked_messages (consumer, subject, body, error)"
                " values (%s, %s, %s, %s)",
                [message.raw_message.metadata.consumer, subject, message.body, error],
            )
        except Unavailable:
            await message.nack(delay=self._delay(PARK_AFTER))
            return
        PARKED.labels(message.raw_message.metadata.consumer).inc()
        await message.ack()


class _Batcher:
    """Handles what has come since the last batch in one call, one batch at a time."""

    def __init__(
        self,
        on_batch: Callable[[Sequence[NatsMessage]], Awaitable[None]],
        put_back: Callable[[NatsMessage, str], Awaitable[None]],
        count: Callable[[float], None],
    ) -> None:
        self._count = count
        self._on_batch = on_batch
        self._put_back = put_back
        self._gathered: list[NatsMessage] = []
        self._running: asyncio.Task[None] | None = None

    async def handle(self, message: NatsMessage) -> None:
        """Wait until everything that has come, this message too, has been handled."""
        self._gathered.append(message)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await asyncio.shield(self._running)

    async def _run(self) -> None:
        try:
            await asyncio.sleep(0)  # what the same read from the socket brought comes along
            while self._gathered:
                messages, self._gathered = self._gathered[:BATCH], self._gathered[BATCH:]
                await self._handle(messages)
        finally:
            self._running = None

    async def _handle(self, messages: Sequence[NatsMessage]) -> None:
        self._count(len(messages))
        try:
            await self._on_batch(messages)
        except Exception as error:
            log.exception("a batch could not be handled", messages=len(messages))
            for message in messages:
                await self._put_back(message, repr(error))


def _count(envelope: CommandEnvelope, reply: Reply | None, seconds: float) -> None:
    # What the broker brings may have any name, and each would be a series of its own.
    command = envelope.type if envelope.type in COMMAND_TYPES else "unknown"
    if reply is None:
        result = "broken"
    elif reply.unavailable:
        result = "unavailable"
    else:
        result = "accepted" if reply.rejection is None else "refused"
    counter, histogram = _series(command, result)
    counter.inc()
    histogram.observe(seconds)


@cache
def _series(command: str, result: str) -> tuple[Counter, Histogram]:
    # Finding a series by its labels costs more than counting in it.
    return COMMANDS.labels(command, result), COMMAND_SECONDS.labels(command)


async def _undecoded(message: NatsMessage) -> NatsMessage:
    return message
