"""What happens to an account, told as it happens (contract §16)."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import msgspec
from pydantic import Field
from starlette.responses import Response

from libs.events.streams import EVENT_TYPES
from services.api.errors import Detail, ShapeError
from services.api.queries.events import (
    NoPosition,
    Position,
    Told,
    horizon,
    position_of,
)
from services.api.routes.call import Call
from services.api.routes.event_stream import EventStream
from services.api.routes.filters import one_of
from services.api.routes.operation import Operations, Streamed
from services.api.routes.shapes import NoBody, Query
from services.api.routes.telling import tell
from services.api.routes.timeline import TimelineItemWire
from services.api.routes.wire import trace_id_of
from services.api.rules.news import News, headline
from services.api.rules.timestamps import wire_time

streams = Operations("Events")


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

    def data_of(told: Told) -> bytes | None:
        return msgspec.json.encode(_item(told)) if wanted(told) else None

    position = await _beginning(call)
    with ExitStack() as entering:
        listener = entering.enter_context(
            call.ports.audience.seat(call.account_id, call.caller.key_id)
        )
        text = tell(call.ports.store, listener, position, data_of)
        return EventStream(text, entering.pop_all())


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
