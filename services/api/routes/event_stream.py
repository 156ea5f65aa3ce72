"""Server-sent events as an answer: text that goes on until one of the two sides has had enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, suppress

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

log = structlog.get_logger()

SLOW_SECONDS = 20.0
LAST_WORDS_SECONDS = 10.0
TOO_SLOW = b": too slow a reader; connect again with Last-Event-ID\n\n"

_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would gather what should go out at once
)


class EventStream(Response):
    """Sends `chunks` as they come; `seat` is left when the stream ends.

    Nothing is buffered but the chunk in hand: while the reader does not take it, no more are made.
    A reader that takes none for `slow_seconds` is told so and cut off.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        seat: AbstractContextManager[object],
        *,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        super().__init__()
        self._chunks = chunks
        self._seat = seat
        self._slow_seconds = slow_seconds

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the chunks end, or the reader goes."""
        with self._seat:
            await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
            telling = asyncio.create_task(self._tell(send))
            leaving = asyncio.create_task(_left(receive))
            try:
                await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (telling, leaving):
                    task.cancel()
                ends = await asyncio.gather(telling, leaving, return_exceptions=True)
            for end in ends:
                if isinstance(end, Exception):
                    raise end

    async def _tell(self, send: Send) -> None:
        async for chunk in self._chunks:
            try:
                async with asyncio.timeout(self._slow_seconds):
                    await send(_body(chunk, more=True))
            except TimeoutError:
                log.info("a reader of the event stream was too slow")
                await _end(send, TOO_SLOW)
                return
        await _end(send, b"")


async def _end(send: Send, chunk: bytes) -> None:
    # An answer that is left unfinished makes the server close the connection, which is right here.
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_WORDS_SECONDS):
            await send(_body(chunk, more=False))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(chunk: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}
