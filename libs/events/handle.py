"""A micro-batch of commands: load, decide, append and answer, in one transaction for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec
import structlog

from libs.events.base import Command, Rejection, Value
from libs.events.envelope import CommandEnvelope, Meta, Reply, Undecodable, decode_command, encode
from libs.events.log import Log, LogUnit
from libs.events.subjects import COMMAND_TYPES
from libs.events.unit import StoredResult
from libs.runtime.postgres import Conflict, Unavailable
from libs.runtime.telemetry import trace_id_of

log = structlog.get_logger()

TRIES = 3


UnitT = TypeVar("UnitT", bound=LogUnit)
UnitT_contra = TypeVar("UnitT_contra", bound=LogUnit, contravariant=True)


class Desk(Protocol[UnitT_contra]):
    """Where a service's commands are handled: `load` does the IO, `handle` decides without any."""

    async def load(self, unit: UnitT_contra, commands: Sequence[Command]) -> None:
        """Lock and read, for all commands at once, whatever deciding needs."""
        ...

    def handle(self, unit: UnitT_contra, command: Command, meta: Meta) -> Value | Rejection:
        """Decide, record the events in the unit, and answer."""
        ...


async def handle(
    events: Log[UnitT], envelopes: Sequence[CommandEnvelope], desk: Desk[UnitT]
) -> list[Reply]:
    """Handle a batch; one reply for each command, in order.

    A command handled before gets the reply that it got then. When Postgres is away every reply says
    `unavailable`. A command that breaks its handler, or is overtaken again and again, does not
    spoil the others: they are handled one by one, and its error is raised at the end of a batch of
    one.
    """
    try:
        return await _with_retries(events, envelopes, desk)
    except Unavailable as error:
        return _unavailable(envelopes, error)
    except Conflict as conflict:
        if len(envelopes) == 1:
            return _unavailable(envelopes, conflict)
        log.warning("a batch is overtaken again and again; its commands are handled one by one")
    except Exception:
        if len(envelopes) == 1:
            raise
        log.exception("a batch failed; its commands are handled one by one")
    replies: list[Reply] = []
    for envelope in envelopes:
        replies += await _alone(events, envelope, desk)
    return replies


def _unavailable(envelopes: Sequence[CommandEnvelope], error: Exception) -> list[Reply]:
    log.warning("commands were not handled", count=len(envelopes), error=str(error))
    return [Reply(command_id=envelope.id, unavailable=True) for envelope in envelopes]


async def _alone(events: Log[UnitT], envelope: CommandEnvelope, desk: Desk[UnitT]) -> list[Reply]:
    try:
        return await handle(events, [envelope], desk)
    except Exception:
        traceparent = envelope.meta.traceparent
        log.exception(
            "a command failed",
            command=envelope.type,
            command_id=envelope.id,
            trace_id=trace_id_of(traceparent) if traceparent else None,
        )
        return []


async def _with_retries(
    events: Log[UnitT], envelopes: Sequence[CommandEnvelope], desk: Desk[UnitT]
) -> list[Reply]:
    # Nearly every command is new. One that is not violates the key of its stored result when it is
    # stored again, and is then looked up; so the first try does without looking.
    look = any(envelope.idempotency for envelope in envelopes)
    for _ in range(TRIES - 1):
        try:
            return await _in_one_transaction(events, envelopes, desk, look_up=look)
        except Conflict as conflict:
            look = True
            log.info("decided again", reason=str(conflict), commands=len(envelopes))
    return await _in_one_transaction(events, envelopes, desk, look_up=True)


async def _in_one_transaction(
    events: Log[UnitT], envelopes: Sequence[CommandEnvelope], desk: Desk[UnitT], *, look_up: bool
) -> list[Reply]:
    work = [(envelope, _decoded(envelope)) for envelope in envelopes]
    async with events.transaction() as unit:
        ledger = await _Ledger.read(unit, work) if look_up else _Ledger([])
        fresh = [c for envelope, c in work if c and ledger.known(envelope, c) is None]
        await desk.load(unit, fresh)
        return [_reply(unit, ledger, envelope, command, desk) for envelope, command in work]


def _decoded(envelope: CommandEnvelope) -> Command | None:
    try:
        return decode_command(envelope, COMMAND_TYPES)
    except Undecodable as error:
        log.error("a command cannot be read", command=envelope.type, error=str(error))
        return None


def _reply(
    unit: UnitT,
    ledger: _Ledger,
    envelope: CommandEnvelope,
    command: Command | None,
    desk: Desk[UnitT],
) -> Reply:
    if command is None:
        return Reply(
            command_id=envelope.id,
            rejection=Rejection(code="validation_error", message="the command cannot be read"),
        )
    if known := ledger.known(envelope, command):
        return known
    meta = msgspec.structs.replace(envelope.meta, causation_id=envelope.id)
    verdict = desk.handle(unit, command, meta)
    if isinstance(verdict, Rejection):
        reply = Reply(command_id=envelope.id, rejection=verdict)
    else:
        reply = Reply(command_id=envelope.id, answer=msgspec.Raw(encode(verdict)))
    ledger.keep(unit, envelope, command, reply)
    return reply


class _Ledger:
    """The replies that were given before, by command id and by idempotency key."""

    def __init__(self, stored: Sequence[StoredResult]) -> None:
        self._by_id = {result.command_id: result for result in stored}
        self._by_key = {
            (result.account_id, result.idempotency_key): result
            for result in stored
            if result.idempotency_key is not None
        }

    @classmethod
    async def read(
        cls, unit: LogUnit, work: Sequence[tuple[CommandEnvelope, Command | None]]
    ) -> _Ledger:
        return cls(
            await unit.stored_results(
                [envelope.id for envelope, _ in work],
                [
                    (command.account_id, envelope.idempotency.key)
                    for envelope, command in work
                    if envelope.idempotency is not None and command is not None
                ],
            )
        )

    def known(self, envelope: CommandEnvelope, command: Command) -> Reply | None:
        """The reply to this very command, or to the first one with its idempotency key."""
        if (result := self._by_id.get(envelope.id)) is not None:
            return result.reply
        if envelope.idempotency is None:
            return None
        result = self._by_key.get((command.account_id, envelope.idempotency.key))
        if result is None:
            return None
        if result.request_hash != envelope.idempotency.request_hash:
            message = "this idempotency key was used with another body; use a new key"
            rejection = Rejection(code="idempotency_key_conflict", message=message)
            return Reply(command_id=envelope.id, rejection=rejection)
        return msgspec.structs.replace(result.reply, command_id=envelope.id, replayed=True)

    def keep(
        self, unit: LogUnit, envelope: CommandEnvelope, command: Command, reply: Reply
    ) -> None:
        """Store the reply; under the idempotency key too, unless it is a refusal."""
        key = envelope.idempotency if reply.rejection is None else None
        result = StoredResult(
            command_id=envelope.id,
            account_id=command.account_id,
            reply=reply,
            idempotency_key=key.key if key else None,
            request_hash=key.request_hash if key else None,
        )
        self._by_id[envelope.id] = result
        if key is not None:
            self._by_key[command.account_id, key.key] = result
        unit.answer(result)
