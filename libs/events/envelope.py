"""What goes around each message: who, why, which trace; and how it becomes bytes and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, overload

import msgspec

from libs.events.base import Command, Event, Rejection, Value, category_of, key_of
from libs.events.streams import EVENT_TYPES

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

# Version n of an event's data, to version n + 1. An event never changes what it means.
UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}


class Meta(Value):
    """Why a message exists: the request or slot it belongs to, what caused it, who, which trace."""

    correlation_id: str
    actor: str
    causation_id: str | None = None
    traceparent: str | None = None


class Recorded(Value):
    """An event as the log holds it."""

    id: str
    stream_id: str
    version: int
    account_id: str
    event: Event
    meta: Meta

    @property
    def type(self) -> str:
        """The event's name."""
        return type(self.event).__name__

    @property
    def category(self) -> str:
        """The kind of its stream."""
        return category_of(self.stream_id)

    @property
    def key(self) -> str:
        """The id of the thing that its stream is about."""
        return key_of(self.stream_id)


class Notice(Value):
    """That an event is in the log. It carries ids alone: who reacts reads the row again.

    `success` is what an outcome said, so that good news need not be read again by who awaits bad.
    `traceparent` is that of the event, if its trace is collected.
    """

    id: str
    type: str
    stream_id: str
    version: int
    account_id: str
    recorded_at: datetime
    success: bool | None = None
    traceparent: str | None = None


def batches_of(notices: Sequence[Notice], size: int) -> list[list[Notice]]:
    """Group notices by type, at most `size` in each batch, first come first."""
    open_batches: dict[str, list[Notice]] = {}
    batches: list[list[Notice]] = []
    for notice in notices:
        batch: list[Notice] | None = open_batches.get(notice.type)
        if batch is None or len(batch) >= size:
            batch = open_batches[notice.type] = []
            batches.append(batch)
        batch.append(notice)
    return batches


class Idempotency(Value):
    """A caller's key, scoped to method and path, and the hash of what it was first used for."""

    key: str
    request_hash: str


class CommandEnvelope(Value):
    """A command on its way to its owner; the answer goes to `reply_to`.

    `together`: who asks reads several replies in one message. The release before this one did not.
    """

    id: str
    type: str
    command: msgspec.Raw
    meta: Meta
    reply_to: str | None = None
    idempotency: Idempotency | None = None
    together: bool = False


class Reply(Value):
    """An owner's answer: `answer` (JSON) if it was accepted, else `rejection`, else `unavailable`.

    `replayed` says that the same command, or idempotency key, was answered so before.
    """

    command_id: str
    answer: msgspec.Raw = msgspec.Raw()
    rejection: Rejection | None = None
    replayed: bool = False
    unavailable: bool = False


class Undecodable(Exception):
    """The bytes are not a message that this version knows."""


T = TypeVar("T")
_encoder = msgspec.json.Encoder()


def encode(message: Any) -> bytes:
    """Encode any message, state or list of rows as JSON."""
    return _encoder.encode(message)


@cache  # a decoder of a union is dear to build; there are as many as there are kinds of messages
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@overload
def decode(body: bytes | str, kind: type[T]) -> T: ...


@overload
def decode(body: bytes | str, kind: Any) -> Any: ...


def decode(body: bytes | str, kind: Any) -> Any:
    """Decode JSON into `kind`, a type or a union of types. Raises `Undecodable`."""
    try:
        return _decoder(kind).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Undecodable(str(error)) from error


def decode_command(envelope: CommandEnvelope, known: Mapping[str, type[Command]]) -> Command:
    """Take the command out of its envelope. Raises `Undecodable`."""
    kind = known.get(envelope.type)
    if kind is None:
        raise Undecodable(f"no command is named {envelope.type}")
    return decode(bytes(envelope.command), kind)


def schema_version(
    event_type: str, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS
) -> int:
    """The version in which this event is written today: one more than its upcasters reach."""
    return 1 + max((v for name, v in upcasters if name == event_type), default=0)


def decode_event(
    event_type: str,
    version: int,
    data: bytes | str | dict[str, Any],
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
) -> Event:
    """Read an event of any version ever written, upcast step by step to today's.

    Raises `Undecodable` for a type or a version that this release does not know.
    """
    kind = EVENT_TYPES.get(event_type)
    if kind is None:
        raise Undecodable(f"no event is named {event_type}")
    fields = data if isinstance(data, dict) else decode(data, dict)
    while (event_type, version) in upcasters:
        fields = upcasters[event_type, version](fields)
        version += 1
    if version != schema_version(event_type, upcasters):
        raise Undecodable(f"{event_type} version {version} is not of this release")
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Undecodable(f"{event_type}: {error}") from error
