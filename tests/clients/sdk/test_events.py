"""The live stream: read, resumed where it broke, given up when the server refuses."""

from __future__ import annotations

from itertools import islice

import httpx
import pytest
from cueapi import APIConnectionError, AuthenticationError

from tests.clients.sdk.fakes import FakeServer, refusal

FIRST = b': hello\n\ndata: {"type": "A",\ndata: "n": 1}\nid: 1\n\nid: 2\n\n'
SECOND = b'id: 3\r\ndata: {"type": "B"}\r\n\r\ndata: {"type": "half'
THIRD = b'data: {"type": "C"}\nid: 4\n\n'


def stream(*parts: bytes) -> list[httpx.Response]:
    return [httpx.Response(200, content=part) for part in parts]


def test_a_stream_goes_on_after_the_last_event() -> None:
    server = FakeServer(*stream(FIRST), httpx.ConnectError, *stream(SECOND, THIRD))
    events = server.client().events.stream(cue_id="c", type="A")
    told = [(event.type, event.position) for event in islice(events, 3)]
    assert told == [("A", "1"), ("B", "3"), ("C", "4")]
    assert [r.headers.get("Last-Event-ID") for r in server.requests] == [None, "2", "2", "3"]
    assert {str(r.url.query, "ascii") for r in server.requests} == {"cue_id=c&type=A"}
    assert len(server.slept) == 3
    assert {r.headers["Accept"] for r in server.requests} == {"text/event-stream"}


async def test_an_async_stream_does_so_too() -> None:
    server = FakeServer(*stream(FIRST), refusal(503, "service_unavailable"), *stream(SECOND))
    told = []
    async for event in server.async_client().events.stream(last_event_id="0"):
        told.append(event.type)
        if len(told) == 2:
            break
    assert told == ["A", "B"]
    assert [r.headers.get("Last-Event-ID") for r in server.requests] == ["0", "2", "2"]


def test_a_refusal_ends_it() -> None:
    with pytest.raises(AuthenticationError):
        next(FakeServer(refusal(401, "invalid_api_key")).client().events.stream())


def test_a_server_that_stays_away_is_given_up() -> None:
    server = FakeServer(httpx.ConnectError)
    with pytest.raises(APIConnectionError):
        next(server.client().events.stream())
    assert len(server.requests) == 11
