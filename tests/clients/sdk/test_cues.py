"""What of a cue is sent, and what is left as it is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from cueapi import CuePayload

from tests.clients.sdk.fakes import FakeServer

CUE = {
    "id": "c",
    "schedule": {"type": "recurring", "cron": "0 9 * * *", "at": None, "timezone": "UTC"},
}


def sent(server: FakeServer) -> list[Any]:
    return [json.loads(request.content or b"null") for request in server.requests]


def test_creating_sends_what_the_published_sdk_sent() -> None:
    server = FakeServer(httpx.Response(201, json=CUE))
    server.client().cues.create("a", cron="0 9 * * *", callback="https://a.example")
    assert sent(server) == [
        {
            "name": "a",
            "schedule": {"type": "recurring", "cron": "0 9 * * *", "timezone": "UTC"},
            "transport": "webhook",
            "payload": {},
            "callback": {"url": "https://a.example", "method": "POST"},
        }
    ]


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({}, {}),
        ({"description": None}, {"description": None}),
        ({"callback": "https://a.example"}, {"callback": {"url": "https://a.example"}}),
        ({"callback_headers": None}, {"callback": {"headers": None}}),
        ({"verification": "manual"}, {"verification": {"mode": "manual"}}),
        ({"cron": "1 1 * * *"}, {"schedule": {"type": "recurring", "cron": "1 1 * * *"}}),
        (
            {"at": "2026-03-28T09:00:00", "timezone": "Asia/Tokyo"},
            {
                "schedule": {
                    "type": "once",
                    "at": "2026-03-28T09:00:00",
                    "timezone": "Asia/Tokyo",
                }
            },
        ),
    ],
)
def test_only_what_is_given_changes(changes: dict[str, Any], body: dict[str, Any]) -> None:
    server = FakeServer(httpx.Response(200, json=CUE))
    server.client().cues.update("c", **changes)
    assert sent(server) == [body]


MOVED = {
    "name": "b",
    "schedule": {"type": "recurring", "cron": "0 9 * * *", "timezone": "Asia/Tokyo"},
}


def test_the_timezone_alone_keeps_the_cron() -> None:
    server = FakeServer(httpx.Response(200, json=CUE))
    server.client().cues.update("c", timezone="Asia/Tokyo", name="b")
    assert [request.method for request in server.requests] == ["GET", "PATCH"]
    assert sent(server) == [None, MOVED]


async def test_the_timezone_alone_keeps_the_cron_async() -> None:
    server = FakeServer(httpx.Response(200, json=CUE))
    await server.async_client().cues.update("c", timezone="Asia/Tokyo", name="b")
    assert sent(server) == [None, MOVED]


def test_a_payload_is_built_of_what_is_set() -> None:
    built = CuePayload().task("t").kind("k").instruction("i").context_ref("r")
    built = built.context_mode("m").agent("a").extra("x", 1)
    assert built.build() == {
        "task": "t",
        "kind": "k",
        "instruction": "i",
        "context_ref": "r",
        "context_mode": "m",
        "agent": "a",
        "x": 1,
    }
    assert CuePayload().build() == {}


def test_a_block_reports_how_it_ended() -> None:
    server = FakeServer(httpx.Response(200, json={}))
    client = server.client()
    with client.executions.handle("e", {"n": 1}) as job:
        assert job.payload == {"n": 1}
        job.result = "x" * 3_000
        job.evidence = {"external_id": "run-1"}
    with pytest.raises(KeyError), client.executions.handle("e"):
        raise KeyError("gone")
    done, failed = sent(server)
    assert done == {"success": True, "result": "x" * 2_000, "external_id": "run-1"}
    assert failed == {"success": False, "error": "KeyError: 'gone'"}


async def test_an_async_block_reports_too() -> None:
    server = FakeServer(httpx.Response(200, json={}))
    async with server.async_client().executions.handle("e") as job:
        job.result = "done"
    assert sent(server) == [{"success": True, "result": "done"}]
    assert server.requests[0].url.path == "/v1/executions/e/outcome"
