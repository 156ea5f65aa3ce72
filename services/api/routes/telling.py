"""The text of an event stream: look at the log, tell it, wait for news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from libs.events.accounts import ApiKeyRevoked
from libs.runtime.clock import monotonic
from libs.runtime.ids import jittered
from libs.runtime.postgres import Unavailable
from services.api.queries.events import Look, Position, Told, events_after
from services.api.queries.pages import Reads
from services.api.routes.audience import Listener

log = structlog.get_logger()

EVENTS_IN_A_CHUNK = 50

STOPPING = b": this server stops; connect again with Last-Event-ID\n\n"
REVOKED = b": the key is not valid any more\n\n"
OLD = b": this stream is old; connect again with Last-Event-ID\n\n"
ALIVE = b": still here\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds: between comments, until a stream ends, until the database is tried again."""

    comment: float = 15.0
    life: float = 3_600.0
    away: float = 2.0


async def tell(
    store: Reads,
    listener: Listener,
    position: Position,
    data_of: Callable[[Told], bytes | None],
    pace: Pace = Pace(),
) -> AsyncIterator[bytes]:
    """Make the text of a stream, until it has to end; `data_of` gives None for what is left out.

    1. Look at what has happened behind the position; tell it. 2. When all is told, wait for news,
    and say at intervals that the stream is alive, and how far it has come.
    """
    yield b"retry: 2000\n" + _id(position)
    said_at = born_at = monotonic()
    while not listener.dismissed and monotonic() - born_at < pace.life:
        listener.news.clear()
        look = await _look(store, listener, position, pace)
        position = look.position
        for chunk in _chunks(look.events, data_of):
            yield chunk
            said_at = monotonic()
        if any(_ends(each, listener) for each in look.events):
            yield REVOKED
            return
        if monotonic() - said_at >= pace.comment:
            yield ALIVE + _id(position)
            said_at = monotonic()
        if look.whole:
            await _news_within(listener, said_at + pace.comment - monotonic())
    yield STOPPING if listener.dismissed else OLD


async def _look(store: Reads, listener: Listener, position: Position, pace: Pace) -> Look:
    try:
        return await events_after(store, listener.account_id, position)
    except Unavailable as error:
        log.warning("an event stream waits for the database", error=str(error))
        await asyncio.sleep(jittered(pace.away))
        return Look([], position, whole=False, horizon=position)


def _ends(told: Told, listener: Listener) -> bool:
    return isinstance(told.event, ApiKeyRevoked) and told.event.key_id == listener.key_id


async def _news_within(listener: Listener, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await listener.news.wait()
    except TimeoutError:
        return


def _chunks(events: Sequence[Told], data_of: Callable[[Told], bytes | None]) -> Iterator[bytes]:
    for start in range(0, len(events), EVENTS_IN_A_CHUNK):
        part = events[start : start + EVENTS_IN_A_CHUNK]
        told = ((data_of(each), each.position) for each in part)
        chunk = b"".join(b"data: " + data + b"\n" + _id(at) for data, at in told if data)
        if chunk:
            yield chunk


def _id(position: Position) -> bytes:
    return f"id: {position.text}\n\n".encode()
