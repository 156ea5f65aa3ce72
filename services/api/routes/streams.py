"""What happens to an account, told as it happens (contract §16)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from typing import Annotated

import msgspec
import structlog
from pydantic import Field
from starlette.responses import Response

from libs.events.accounts import ApiKeyRevoked
from libs.events.streams import EVENT_TYPES
from libs.runtime.clock import monotonic
from libs.runtime.ids import jittered
from libs.runtime.postgres import Unavailable
from services.api.errors import Detail, ShapeError
from services.api.queries.events import (
    NoPosition,
    Position,
    Told,
    events_after,
    horizon,
    position_of,
)
from services.api.queries.pages import Reads
from services.api.routes.audience import Listener
from services.api.routes.call import Call
from services.api.routes.event_stream import EventStream
from services.api.routes.filters import one_of
from services.api.routes.operation import Operations, Streamed
from services.api.routes.shapes import NoBody, Query
from services.api.routes.timeline import TimelineItemWire
from services.api.routes.wire import trace_id_of
from services.api.rules.news import News, headline
from services.api.rules.timestamps import wire_time

log = structlog.get_logger()

streams = Operations("Events")

COMMENT_SECONDS = 15.0
LIFE_SECONDS = 3_600.0
AWAY_SECONDS = 2.0
EVENTS_IN_A_CHUNK = 50

_COMMENT = b": still here\n"
_REASONS = {
    "stopping": b": this server stops; connect again with Last-Event-ID\n\n",
    "revoked": b": the key is not valid any more\n\n",
    "old": b": this stream is an hour old; connect again with Last-Event-ID\n\n",
}


class StreamQuery(Query):
    """Which events to tell, and from where on."""

    cue_id: str | None = None
    type: Annotated[
        str | None, Field(description="an event type, or several separated by commas")
    ] = None
    last_event_id: Annotated[
        str | None, Field(description="as the header Last-Event-ID, which comes first")
    ] = None


class StreamedEventWire(TimelineItemWire, Streamed):
    """One event, as the `data` of a server-sent event; its `id` is a place to resume from."""

    cue_id: str | None
    execution_id: str | None


@streams.add(
    "GET",
    "/v1/events/stream",
    body=NoBody,
    query=StreamQuery,
    answers={200: StreamedEventWire},
    codes=("invalid_filter",),
)
async def stream_events(call: Call[NoBody, StreamQuery]) -> Response:
    """Tell the account's events as they happen, as server-sent events.

    Without `Last-Event-ID` it begins now; with the `id` of an event, right behind that event, with
    nothing lost or told twice. A comment comes every 15 seconds. One key may have 5 streams open.
    A stream ends after an hour, when the server stops, and when its reader is too slow: connect
    again with the last `id`.
    """
    wanted = _Wanted(call.query)
    position = await _beginning(call)
    with ExitStack() as entering:
        listener = entering.enter_context(
            call.ports.audience.seat(call.account_id, call.caller.key_id)
        )
        told = _tell(call.ports.store, listener, position, wanted)
        return EventStream(told, entering.pop_all())


class _Wanted:
    """The filters of a stream. Raises ApiError."""

    def __init__(self, query: StreamQuery) -> None:
        self._cue_id = query.cue_id
        self._types = frozenset(filter(None, (query.type or "").split(",")))
        for name in self._types:
            one_of("type", name, EVENT_TYPES)

    def __call__(self, told: Told) -> bool:
        return self._cue_id in (None, told.cue_id) and (not self._types or told.type in self._types)


async def _beginning(call: Call[NoBody, StreamQuery]) -> Position:
    header = call.request.headers.get("last-event-id")
    sent = header if header is not None else call.query.last_event_id
    now = await horizon(call.ports.store)
    if not sent:
        return now
    try:
        position = position_of(sent)
        if position > now:
            raise NoPosition("is not of this server's log")
    except NoPosition as fault:
        field = "header.Last-Event-ID" if header is not None else "query.last_event_id"
        raise ShapeError([Detail(field, str(fault))]) from fault
    return position


async def _tell(
    store: Reads, listener: Listener, position: Position, wanted: _Wanted
) -> AsyncIterator[bytes]:
    """Make the text of a stream, until it has to end.

    1. Look at what has happened behind the position; tell it. 2. When all is told, wait for news,
    and say at intervals that the stream is alive, and how far it has come.
    """
    yield b"retry: 2000\n" + _id(position)
    said_at = born_at = monotonic()
    while (why := _over(listener, born_at)) is None:
        listener.news.clear()
        try:
            look = await events_after(store, listener.account_id, position)
        except Unavailable:
            log.warning("the event stream waits for the database")
            await asyncio.sleep(jittered(AWAY_SECONDS))
            listener.news.set()
            look = None
        if look is not None:
            position = look.position
            for chunk in _chunks([each for each in look.events if wanted(each)]):
                yield chunk
                said_at = monotonic()
            if any(_ends(each, listener) for each in look.events):
                yield _REASONS["revoked"]
                return
        if monotonic() - said_at >= COMMENT_SECONDS:
            yield _COMMENT + _id(position)
            said_at = monotonic()
        if look is None or look.whole:
            await _news_within(listener, said_at + COMMENT_SECONDS - monotonic())
    yield _REASONS[why]


def _over(listener: Listener, born_at: float) -> str | None:
    if listener.dismissed:
        return "stopping"
    return "old" if monotonic() - born_at > LIFE_SECONDS else None


def _ends(told: Told, listener: Listener) -> bool:
    return isinstance(told.event, ApiKeyRevoked) and told.event.key_id == listener.key_id


async def _news_within(listener: Listener, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await listener.news.wait()
    except TimeoutError:
        return


def _chunks(events: Sequence[Told]) -> Iterator[bytes]:
    for start in range(0, len(events), EVENTS_IN_A_CHUNK):
        yield b"".join(map(_message, events[start : start + EVENTS_IN_A_CHUNK]))


def _message(told: Told) -> bytes:
    return b"data: " + msgspec.json.encode(_item(told)) + b"\n" + _id(told.position)


def _id(position: Position) -> bytes:
    return f"id: {position.text}\n\n".encode()


def _item(told: Told) -> StreamedEventWire:
    event = told.event
    assert isinstance(event, News), f"{told.type} in no stream of an account"
    return StreamedEventWire(
        at=wire_time(event.at),
        type=told.type,
        summary=headline(event),
        data=msgspec.Raw(msgspec.json.encode(event)),
        actor=told.meta.actor,
        trace_id=trace_id_of(told.meta.traceparent),
        version=told.version,
        cue_id=told.cue_id,
        execution_id=told.execution_id,
    )
