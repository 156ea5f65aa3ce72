"""The live stream of events: server-sent events, resumed where it broke (contract §16)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from random import random
from typing import Any

import httpx

from cueapi.calls import Call, anything, query
from cueapi.errors import refusal, unanswered
from cueapi.exchange import request_of
from cueapi.models.events import StreamEvent
from cueapi.retries import RETRIED_STATUSES, RetryPolicy
from cueapi.settings import Settings

# The server sends a comment every 15 seconds: three missed ones mean a dead connection.
SILENCE_SECONDS = 45.0

_PATIENCE = RetryPolicy(retries=10, first=0.5, longest=15.0)


class Subscription:
    """Where a stream is and what to do next; reads lines, does no IO."""

    def __init__(self, settings: Settings, wanted: dict[str, str], last_id: str | None) -> None:
        self._settings = settings
        self._wanted = wanted
        self._last_id = last_id
        self._id: str | None = None
        self._data: list[str] = []
        self._failures = 0

    def request(self, build: Callable[..., httpx.Request]) -> httpx.Request:
        """Make the request that opens the stream, or goes on after the last event."""
        self._id, self._data = None, []
        headers = {"Accept": "text/event-stream"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = self._last_id
        path = "/v1/events/stream"
        call = Call("GET", path, anything, query=self._wanted, headers=headers)
        return request_of(call, self._settings, build, timeout=self._timeout())

    def line(self, text: str) -> StreamEvent | None:
        """Take a line; give the event that it completes."""
        if not text:
            return self._complete()
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def refused(self, response: httpx.Response) -> float:
        """Give the seconds until the next try. Raises CueAPIError if there is none."""
        error = refusal(response)
        seconds = self._wait() if response.status_code in RETRIED_STATUSES else None
        if seconds is None:
            raise error
        return seconds

    def broke(self, failure: httpx.TransportError | None) -> float:
        """Give the seconds until the next try. Raises APIConnectionError after too many."""
        seconds = self._wait()
        if seconds is None:
            raise unanswered(failure or httpx.ReadError("the stream ended")) from failure
        return seconds

    def _complete(self) -> StreamEvent | None:
        if self._id is not None:
            self._last_id = self._id
        data, self._data = self._data, []
        self._failures = 0
        if not data:
            return None
        document: dict[str, Any] = json.loads("\n".join(data))
        return StreamEvent.from_dict({**document, "position": self._last_id})

    def _wait(self) -> float | None:
        self._failures += 1
        return _PATIENCE.wait(self._failures, random())  # noqa: S311  # jitter

    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self._settings.timeout, read=SILENCE_SECONDS)


def subscription(
    settings: Settings, cue_id: str | None, type: str | None, last_event_id: str | None
) -> Subscription:
    """Begin a stream, after an event that was seen already if its position is given."""
    return Subscription(settings, query(cue_id=cue_id, type=type), last_event_id)


def follow(
    stream: Subscription, http: httpx.Client, sleep: Callable[[float], None]
) -> Iterator[StreamEvent]:
    """Give the events as they happen, without end. Raises CueAPIError."""
    while True:
        try:
            response = http.send(stream.request(http.build_request), stream=True)
            try:
                if response.is_success:
                    yield from filter(None, map(stream.line, response.iter_lines()))
                    seconds = stream.broke(None)
                else:
                    response.read()
                    seconds = stream.refused(response)
            finally:
                response.close()
        except httpx.TransportError as failure:
            seconds = stream.broke(failure)
        sleep(seconds)


async def follow_async(
    stream: Subscription, http: httpx.AsyncClient, sleep: Callable[[float], Any]
) -> AsyncIterator[StreamEvent]:
    """Give the events as they happen, without end. Raises CueAPIError."""
    while True:
        try:
            response = await http.send(stream.request(http.build_request), stream=True)
            try:
                if response.is_success:
                    async for line in response.aiter_lines():
                        if event := stream.line(line):
                            yield event
                    seconds = stream.broke(None)
                else:
                    await response.aread()
                    seconds = stream.refused(response)
            finally:
                await response.aclose()
        except httpx.TransportError as failure:
            seconds = stream.broke(failure)
        await sleep(seconds)
