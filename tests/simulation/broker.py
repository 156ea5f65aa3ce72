"""The broker and the relay in memory: at least once, in any order, and wiped now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from libs.events.base import Command, Value
from libs.events.envelope import CommandEnvelope, Idempotency, Meta, Notice, Recorded, Reply, encode
from libs.events.execution_events import OutcomeReported
from libs.events.subjects import OWNER, REACTIONS
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Unavailable
from tests.simulation.engine import Clock, Killed, Process
from tests.simulation.store import Store

ACK_WAIT = 30.0
COMMANDS_LIVE = 30.0
TRY_SECONDS, GIVE_UP_SECONDS = 3.0, 10.0


class Asked(Value):
    """A command that was answered 2xx, and with what."""

    command: Command
    reply: Reply


class _Message:
    def __init__(self, body: Any, sent_at: float, position: int) -> None:
        self.body = body
        self.sent_at = sent_at
        self.position = position
        self.acked = False


class Broker:
    """Consumers by service and kind; messages that were not acknowledged come again."""

    def __init__(self, clock: Clock, store: Store, process: Callable[[str], Process]) -> None:
        self._clock = clock
        self._store = store
        self._process = process
        self._waiting: dict[tuple[str, str], list[_Message]] = {}
        self._busy: set[tuple[str, str, Process]] = set()
        self._unacked: set[_Message] = set()
        self._replies: dict[str, asyncio.Future[Reply]] = {}
        self._position = 0
        self._relaying = False
        self.up = True
        self.asked: list[Asked] = []
        self.unanswered: list[Command] = []

    async def ask(self, command: Command, key: str | None = None) -> Reply | None:
        """Send a command as the api does, until it is answered; None stands for 503."""
        idempotency = None
        if key is not None:
            idempotency = Idempotency(key=key, request_hash=repr(type(command)))
        envelope = CommandEnvelope(
            id=new_uuid(),
            type=type(command).__name__,
            command=msgspec.Raw(encode(command)),
            meta=Meta(correlation_id=new_uuid(), actor="session"),
            reply_to="inbox",
            idempotency=idempotency,
        )
        reply = await self._answer(OWNER[type(command)], envelope)
        if reply is None or reply.unavailable:
            self._clock.tell(f"503 {envelope.type}")
            self.unanswered.append(command)
            return None
        refusal = reply.rejection.code if reply.rejection else "2xx"
        self._clock.tell(f"{refusal} {command}")
        if reply.rejection is None:
            self.asked.append(Asked(command=command, reply=reply))
        return reply

    async def _answer(self, owner: str, envelope: CommandEnvelope) -> Reply | None:
        future: asyncio.Future[Reply] = self._clock.loop.create_future()
        self._replies[envelope.id] = future
        give_up = self._clock.loop.time() + GIVE_UP_SECONDS
        try:
            while self._clock.loop.time() < give_up:
                if self.up and not self._clock.chance(self._clock.faults.lost):
                    self._send((owner, "commands"), envelope)
                try:
                    async with asyncio.timeout(TRY_SECONDS):
                        return await asyncio.shield(future)
                except TimeoutError:
                    continue
            return None
        finally:
            del self._replies[envelope.id]

    def relay(self) -> None:
        """Publish soon what was committed and is not published yet."""
        if not self._relaying:
            self._relaying = True
            delay = self._clock.dice.random() if self._clock.chance(0.1) else 0.002
            self._clock.loop.call_later(delay, self._publish)

    def wipe(self) -> None:
        """Forget every message. The relay goes back to what nobody has acknowledged."""
        self._clock.tell("the broker is wiped")
        self._position = min((m.position for m in self._unacked), default=self._position)
        self._unacked.clear()
        self._waiting.clear()
        self.relay()

    def _publish(self) -> None:
        self._relaying = False
        process = self._process("scheduler")
        if process.alive and self.up:
            process.spawn(self._publish_from(self._position, process))

    async def _publish_from(self, position: int, process: Process) -> None:
        recorded = self._store.events[position:]
        for service, types in REACTIONS.items():
            if notices := [_notice(item) for item in recorded if item.type in types]:
                self._send((service, "events"), notices, position)
        try:
            await process.step("relay")
        except Unavailable:
            self.relay()
            return
        self._position = max(self._position, position + len(recorded))

    def _send(self, consumer: tuple[str, str], body: Any, position: int = 0) -> None:
        faults = self._clock.faults
        message = _Message(body, self._clock.loop.time(), position)
        self._deliver_later(consumer, message)
        if consumer[1] == "events":
            self._unacked.add(message)
        if self._clock.chance(faults.doubled):
            self._deliver_later(consumer, message)

    def _deliver_later(self, consumer: tuple[str, str], message: _Message) -> None:
        delay = 0.001
        if self._clock.chance(self._clock.faults.late):
            delay = self._clock.dice.expovariate(1 / 20)
        self._clock.loop.call_later(delay, self._deliver, consumer, message)

    def _deliver(self, consumer: tuple[str, str], message: _Message) -> None:
        gone = consumer[1] == "events" and message not in self._unacked
        if consumer[1] == "commands":
            gone = message.acked or self._clock.loop.time() - message.sent_at > COMMANDS_LIVE
        if gone:
            return
        self._clock.loop.call_later(ACK_WAIT, self._deliver, consumer, message)
        if self._clock.chance(self._clock.faults.lost):
            return
        self._waiting.setdefault(consumer, []).append(message)
        process = self._process(consumer[0])
        if process.alive and (*consumer, process) not in self._busy:
            self._busy.add((*consumer, process))
            process.spawn(self._drain(consumer, process))

    async def _drain(self, consumer: tuple[str, str], process: Process) -> None:
        try:
            await asyncio.sleep(0)
            while process.alive and (messages := self._waiting.pop(consumer, None)):
                await self._handle(consumer[1], process, messages)
        finally:
            self._busy.discard((*consumer, process))

    async def _handle(self, kind: str, process: Process, messages: list[_Message]) -> None:
        try:
            if kind == "commands":
                await self._commands(process, messages)
            else:
                assert process.events is not None
                await process.events([notice for m in messages for notice in m.body])
        except Killed:
            raise
        except Exception as error:
            self._clock.tell(f"{process.name} puts {len(messages)} messages back: {error!r}")
            if not isinstance(error, Unavailable):
                process.broken.append(f"{process.name} breaks on {messages[0].body}: {error!r}")
            return
        await process.step("ack")
        for message in messages:
            message.acked = True
            self._unacked.discard(message)

    async def _commands(self, process: Process, messages: list[_Message]) -> None:
        assert process.commands is not None
        once = {message.body.id: message.body for message in messages}
        for reply in await process.commands(list(once.values())):
            future = self._replies.get(reply.command_id)
            lost = self._clock.chance(self._clock.faults.lost)
            if future is not None and not future.done() and not lost:
                future.set_result(reply)


def _notice(item: Recorded) -> Notice:
    return Notice(
        id=item.id,
        type=item.type,
        stream_id=item.stream_id,
        version=item.version,
        account_id=item.account_id,
        recorded_at=item.event.at,
        success=item.event.report.success if isinstance(item.event, OutcomeReported) else None,
    )
