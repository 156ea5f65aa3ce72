"""The broker: the one way to publish, and the one way to send a command and await its answer.

JetStream may lose anything at any moment. So a command counts as done only by its owner's reply,
which is sent after the commit, and a notice is only ever a hint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError

from libs.events.answers import ANSWERS
from libs.events.base import Command, Rejection, Value
from libs.events.calls import Answer, Answering
from libs.events.envelope import (
    CommandEnvelope,
    Idempotency,
    Meta,
    Notice,
    Reply,
    decode,
    encode,
)
from libs.events.subjects import (
    CALLED,
    COMMANDS,
    EVENTS,
    call_subject,
    command_subject,
    event_subject,
)
from libs.events.tracing import ending, sending, told, within
from libs.runtime.clock import monotonic
from libs.runtime.ids import new_uuid

log = structlog.get_logger()

PUBLISH_SECONDS = 2.0
ASK_SECONDS = 10.0
ASK_AGAIN_SECONDS = 3.0
STOP_SECONDS = 10.0
MESSAGE_BYTES = 256 * 1024


class Unanswered(Exception):
    """No owner has answered: the broker or the owner is away. Nothing is known to be done."""


class Refused(Exception):
    """The owner has refused the command."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


class Bus:
    """One process's connection to the broker; `name` tells it apart in the server's lists."""

    def __init__(self, url: str, name: str) -> None:
        self.broker = NatsBroker(
            url,
            name=name,
            apply_types=False,
            connect_timeout=2,
            reconnect_time_wait=1,
            max_reconnect_attempts=-1,
            ping_interval=5,
            max_outstanding_pings=2,
            closed_cb=self._on_closed,
            error_cb=_on_error,
            graceful_timeout=STOP_SECONDS,
            logger=None,
        )
        self._inbox = f"replies.{name}.{new_uuid()}"
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._answering: list[Answering] = []
        self._client: Client | None = None
        self._stopping = False
        self.closed = asyncio.Event()

    async def connect(self) -> None:
        """Connect, and go on trying until it works; then listen for replies."""
        if self._client is not None:
            return
        client = await self.broker.connect()
        await client.subscribe(f"{self._inbox}.*", cb=self._on_reply)
        self._client = client

    async def close(self) -> None:
        """Finish the handlers that run, and disconnect. May be called again."""
        self._stopping = True
        for caller in self._answering:
            await caller.stop()
        try:
            await self.broker.stop()
        except NatsError as error:
            if self._client is not None and not self._client.is_closed:
                log.warning("the broker is away; what it was to be told is lost", error=repr(error))
                await self._client.close()

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached now."""
        return self._client is not None and self._client.is_connected

    @property
    def jetstream(self) -> JetStreamContext:
        """The connection's JetStream. Raises `Unanswered` before the first connection."""
        return self._live().jetstream(timeout=PUBLISH_SECONDS)

    async def ask(
        self,
        command: Command,
        *,
        meta: Meta,
        idempotency: Idempotency | None = None,
        timeout: float = ASK_SECONDS,
    ) -> Value:
        """Send a command to its owner; give the answer once its events are committed.

        Raises `Refused`, and `Unanswered` when no answer came in `timeout` seconds.
        """
        answer, _ = await self.ask_with_meta(
            command, meta=meta, idempotency=idempotency, timeout=timeout
        )
        return answer

    async def ask_with_meta(
        self,
        command: Command,
        *,
        meta: Meta,
        idempotency: Idempotency | None = None,
        timeout: float = ASK_SECONDS,
    ) -> tuple[Value, bool]:
        """As `ask`; the second value says that the answer is the first one to this key."""
        subject, command_id = command_subject(type(command)), new_uuid()
        span = sending(subject, meta.traceparent, command_id)
        envelope = CommandEnvelope(
            id=command_id,
            type=type(command).__name__,
            command=msgspec.Raw(encode(command)),
            meta=within(span, meta),
            reply_to=f"{self._inbox}.reply",
            idempotency=idempotency,
            together=True,
        )
        with ending(span):
            reply = await self._answered(subject, envelope, timeout)
        return _given(reply, type(command)), reply.replayed

    async def call(self, command: Command, *, meta: Meta, timeout: float) -> Value:
        """Have a called command done by one replica of its owner; it is never sent twice.

        Raises `Refused`, and `Unanswered` when nobody listens, all who do are busy, or no answer
        came in `timeout` seconds.
        """
        kind = type(command)
        command_id = new_uuid()
        span = sending(call_subject(kind), meta.traceparent, command_id)
        envelope = CommandEnvelope(
            id=command_id,
            type=kind.__name__,
            command=msgspec.Raw(encode(command)),
            meta=within(span, meta),
        )
        with ending(span):
            return await self._called_once(kind, envelope, timeout)

    async def _called_once(
        self, kind: type[Command], envelope: CommandEnvelope, timeout: float
    ) -> Value:
        try:
            message = await self._live().request(
                call_subject(kind), encode(envelope), timeout=timeout
            )
        except (NatsError, OSError) as error:
            raise Unanswered(f"no answer to {kind.__name__}: {error!r}") from error
        return _given(decode(message.data, Reply), kind)

    async def on_call(self, kind: type[Command], answer: Answer) -> None:
        """Answer calls of this kind that reach this replica, each in a task of its own.

        `answer` bounds how many it lets wait. One that is cut short is answered `unavailable`.
        """

        caller = Answering(kind, answer)
        self._answering.append(caller)
        await self._live().subscribe(call_subject(kind), CALLED[kind], cb=caller.take)

    async def publish(self, stream: str, subject: str, body: bytes, message_id: str) -> int:
        """Publish one message and await its acknowledgement; give its sequence in the stream.

        Within the stream's duplicate window the same `message_id` is stored once. Raises
        `Unanswered`: the message may or may not be stored, so publish the same id again.
        """
        assert len(body) <= MESSAGE_BYTES, "payloads travel by reference"
        try:
            acknowledgement = await self.jetstream.publish(
                subject,
                body,
                timeout=PUBLISH_SECONDS,
                stream=stream,
                headers={"Nats-Msg-Id": message_id},
            )
        except (NatsError, JetStreamError, OSError) as error:
            raise Unanswered(f"{stream} did not acknowledge: {error!r}") from error
        return acknowledgement.seq

    async def publish_notices(self, batches: Sequence[Sequence[Notice]]) -> list[int]:
        """Publish batches of notices, each of one event type; give their sequences."""
        return await asyncio.gather(*(self._publish_batch(batch) for batch in batches))

    async def _publish_batch(self, batch: Sequence[Notice]) -> int:
        subject, message_id = event_subject(batch[0].type), f"{batch[0].id}:{len(batch)}"
        with told(subject, batch) as notices:
            return await self.publish(EVENTS, subject, encode(notices), message_id)

    async def reply(self, to: str, replies: Reply | Sequence[Reply]) -> None:
        """Send one reply, or several, to who asked; nobody awaits it if the asker is gone."""
        if self.connected:
            await self._live().publish(to, encode(replies))

    async def nudge(self, what: str) -> None:
        """Hint that there is work for `what`; may be lost."""
        if self.connected:
            with suppress(NatsError):
                await self._live().publish(f"nudges.{what}", b"")

    async def on_nudge(self, what: str, look: Callable[[], None]) -> None:
        """Call `look` at each hint for `what`."""

        async def hinted(_: Msg) -> None:
            look()

        await self._live().subscribe(f"nudges.{what}", cb=hinted)

    async def on_notices(self, hear: Callable[[bytes], None]) -> None:
        """Call `hear` with each message of notices as it is published; some may be missed."""

        async def heard(message: Msg) -> None:
            hear(message.data)

        await self._live().subscribe("events.>", cb=heard)

    async def _answered(self, subject: str, envelope: CommandEnvelope, timeout: float) -> Reply:
        deadline = monotonic() + timeout
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[envelope.id] = future
        body = encode(envelope)
        try:
            tries = 0
            while (left := deadline - monotonic()) > 0:
                tries += 1
                await self._send(subject, body, f"{envelope.id}:{tries}", acknowledged=tries > 1)
                try:
                    async with asyncio.timeout(min(left, ASK_AGAIN_SECONDS)):
                        return await asyncio.shield(future)
                except TimeoutError:
                    log.warning("a command is sent again", command=envelope.type, tries=tries)
            raise Unanswered(f"no answer to {envelope.type} in {timeout:g} s")
        finally:
            del self._waiting[envelope.id]

    async def _send(
        self, subject: str, body: bytes, message_id: str, *, acknowledged: bool
    ) -> None:
        # The owner's reply says more than the stream's acknowledgement would; only after a silence
        # is it asked for, and tells whether there is a stream at all.
        if acknowledged:
            await self.publish(COMMANDS, subject, body, message_id)
            return
        assert len(body) <= MESSAGE_BYTES, "payloads travel by reference"
        try:
            await self._live().publish(subject, body, headers={"Nats-Msg-Id": message_id})
        except (NatsError, OSError) as error:
            raise Unanswered(f"the broker is away: {error!r}") from error

    async def _on_reply(self, message: Msg) -> None:
        replies = decode(message.data, Reply | list[Reply])
        for reply in [replies] if isinstance(replies, Reply) else replies:
            future = self._waiting.get(reply.command_id)
            if future is not None and not future.done():
                future.set_result(reply)

    def _live(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise Unanswered("the broker is away")
        return self._client

    async def _on_closed(self) -> None:
        # nats-py gives up only on faults that no reconnect cures; a fresh process is the cure.
        if not self._stopping:
            log.error("the broker connection is closed for good")
            self.closed.set()


def _given(reply: Reply, kind: type[Command]) -> Value:
    if reply.rejection is not None:
        raise Refused(reply.rejection)
    if reply.unavailable:
        raise Unanswered(f"nobody could do {kind.__name__} now; its database may be away")
    return decode(bytes(reply.answer), ANSWERS[kind])


async def _on_error(error: Exception) -> None:
    log.warning("broker", error=repr(error))
