"""MCP over streamable HTTP, driven by the MCP client: whose key counts, who may call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from cueapi_mcp.running import Options, app_for
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.clients.mcp.fakes import FakeApi

LOCAL = "http://127.0.0.1:8765"


@asynccontextmanager
async def served(api: FakeApi, options: Options, **client: Any) -> AsyncIterator[Any]:
    """An HTTP client of a running application; `client` says how it calls."""
    async with api.client() as sdk:
        app = app_for(options, sdk)
        transport = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, **{"base_url": LOCAL, **client}) as http,
        ):
            yield http


@asynccontextmanager
async def agent(http: Any, url: str = LOCAL) -> AsyncIterator[Client]:
    async with Client(streamable_http_client(f"{url}/mcp", http_client=http)) as mcp:
        yield mcp


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("headers", "own", "used"),
    [
        (bearer("cue_sk_caller"), None, "cue_sk_caller"),
        (bearer("cue_sk_caller"), "cue_sk_env", "cue_sk_caller"),
        ({}, "cue_sk_env", "cue_sk_env"),
    ],
)
async def test_a_call_is_made_with_its_callers_key(
    headers: dict[str, str], own: str | None, used: str
) -> None:
    api = FakeApi()
    async with served(api, Options(api_key=own), headers=headers) as http, agent(http) as mcp:
        assert len((await mcp.list_tools()).tools) > 20
        result = await mcp.call_tool("cueapi_usage", {})
    assert not result.is_error
    assert api.keys == [used]


REMOTE = Options(host="0.0.0.0", api_key="cue_sk_env", allowed_hosts=("mcp.example.com",))


@pytest.mark.parametrize(
    ("options", "base"), [(Options(), LOCAL), (REMOTE, "http://mcp.example.com")]
)
async def test_without_a_key_nobody_gets_in(options: Options, base: str) -> None:
    async with served(FakeApi(), options, base_url=base) as http:
        answer = await http.post("/mcp", json={})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_it_answers_to_the_names_that_it_was_given() -> None:
    api, name = FakeApi(), "http://mcp.example.com"
    async with (
        served(api, REMOTE, base_url=name, headers=bearer("cue_sk_caller")) as http,
        agent(http, name) as mcp,
    ):
        result = await mcp.call_tool("cueapi_usage", {})
    assert not result.is_error


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "evil.example:8765"}, 421), ({"Origin": "http://evil.example"}, 403)],
)
async def test_a_page_in_a_browser_gets_nowhere(headers: dict[str, str], status: int) -> None:
    api = FakeApi()
    call = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    async with served(api, Options(api_key="cue_sk_env")) as http:
        answer = await http.post("/mcp", json=call, headers={**accept, **headers})
    assert answer.status_code == status
    assert api.requests == []
