"""Tools called by an MCP client, in-process: what it gets to see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cueapi_mcp.server import make_server
from mcp.client import Client
from mcp.types import CallToolResult, TextContent

from tests.clients.mcp.fakes import FakeApi

CUE = "cue_x7k9m2p4q8w1"


@asynccontextmanager
async def agent(api: FakeApi, **options: Any) -> AsyncIterator[Client]:
    async with api.client() as client, Client(make_server(lambda _: client, **options)) as mcp:
        yield mcp


def text(result: CallToolResult) -> str:
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


async def test_the_result_is_the_apis_json() -> None:
    api = FakeApi()
    api.answer = {"id": CUE, "name": "grüße"}
    async with agent(api) as mcp:
        result = await mcp.call_tool("cueapi_get_cue", {"cue_id": CUE})
    assert not result.is_error
    assert text(result) == '{"id": "cue_x7k9m2p4q8w1", "name": "grüße"}'
    [request] = api.requests
    assert (request.method, request.url.path) == ("GET", f"/v1/cues/{CUE}")
    assert api.keys == ["cue_sk_env"]


async def test_a_change_can_be_retried_without_doing_it_twice() -> None:
    api = FakeApi()
    async with agent(api) as mcp:
        await mcp.call_tool("cueapi_fire_cue", {"cue_id": CUE})
    [request] = api.requests
    assert request.headers["Idempotency-Key"]
    assert json.loads(request.content) == {}


async def test_an_empty_answer_is_told_as_a_success() -> None:
    api = FakeApi()
    api.status, api.answer = 204, None
    async with agent(api) as mcp:
        result = await mcp.call_tool("cueapi_delete_cue", {"cue_id": CUE})
    assert (result.is_error, text(result)) == (False, '{"ok": true}')


async def test_a_refusal_is_an_error_with_status_and_body() -> None:
    api = FakeApi()
    api.status = 404
    api.answer = {"error": {"code": "cue_not_found", "message": "No such cue", "status": 404}}
    async with agent(api) as mcp:
        result = await mcp.call_tool("cueapi_get_cue", {"cue_id": CUE})
    assert result.is_error
    status, body = text(result).split("\n")
    assert status == "HTTP 404"
    assert json.loads(body) == api.answer


async def test_no_answer_is_an_error_that_says_so() -> None:
    api = FakeApi()
    api.down = True
    async with agent(api) as mcp:
        result = await mcp.call_tool("cueapi_usage", {})
    assert result.is_error
    assert text(result).startswith("No answer from CueAPI")


async def test_wrong_arguments_are_named_and_nothing_is_sent() -> None:
    api = FakeApi()
    async with agent(api) as mcp:
        result = await mcp.call_tool("cueapi_create_cue", {"name": "n", "corn": "* * * * *"})
    assert result.is_error
    assert text(result) == (
        "cueapi_create_cue was not called:\n- corn: Extra inputs are not permitted"
    )
    assert api.requests == []


async def test_null_means_absent() -> None:
    api = FakeApi()
    async with agent(api) as mcp:
        result = await mcp.call_tool("cueapi_list_cues", {"status": None})
    assert not result.is_error
    assert api.requests[0].url.query == b"limit=20&offset=0"


async def test_an_unknown_tool_is_answered_with_those_that_exist() -> None:
    async with agent(FakeApi()) as mcp:
        result = await mcp.call_tool("cueapi_teleport", {})
    assert result.is_error
    assert "cueapi_create_cue" in text(result)


async def test_read_only_offers_and_does_nothing_that_changes() -> None:
    api = FakeApi()
    async with agent(api, read_only=True) as mcp:
        tools = (await mcp.list_tools()).tools
        result = await mcp.call_tool("cueapi_delete_cue", {"cue_id": CUE})
    assert {"cueapi_get_cue", "cueapi_preview_schedule"} <= {tool.name for tool in tools}
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    assert result.is_error
    assert api.requests == []
