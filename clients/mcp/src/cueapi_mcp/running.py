"""The server put together and run: over stdio for one account, over HTTP for each caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import uvicorn
from cueapi import AsyncCueAPI
from mcp.server.stdio import stdio_server
from starlette.applications import Starlette
from starlette.requests import Request

from cueapi_mcp import __version__
from cueapi_mcp.http import LOOPBACK, bearer, http_app
from cueapi_mcp.server import make_server

_AGENT = f"cueapi-mcp/{__version__}"
_CONNECTIONS = 256


class ConfigurationError(Exception):
    """The server can't begin; the text says what to change."""


@dataclass(frozen=True)
class Options:
    """How to run."""

    transport: Literal["stdio", "http"] = "stdio"
    api_key: str | None = None
    base_url: str | None = None
    read_only: bool = False
    host: str = "127.0.0.1"
    port: int = 8765
    allowed_hosts: Sequence[str] = ()

    def client(self, api_key: str) -> AsyncCueAPI:
        """Make a client of CueAPI. Raises ConfigurationError for an unusable base URL."""
        try:
            return AsyncCueAPI(api_key, base_url=self.base_url, headers={"User-Agent": _AGENT})
        except ValueError as error:
            raise ConfigurationError(str(error)) from error


async def serve_stdio(options: Options) -> None:
    """Serve the client at the other end of stdin and stdout. Raises ConfigurationError."""
    if options.api_key is None:
        raise ConfigurationError("set CUEAPI_API_KEY to your API key (cue_sk_...)")
    async with options.client(options.api_key) as client:
        server = make_server(lambda _: client, read_only=options.read_only)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


async def serve_http(options: Options) -> None:
    """Serve at `http://<host>:<port>/mcp` until a signal comes. Raises ConfigurationError."""
    async with options.client(options.api_key or "per-request") as client:
        config = uvicorn.Config(
            app_for(options, client),
            host=options.host,
            port=options.port,
            limit_concurrency=_CONNECTIONS,
            log_level="warning",
        )
        await uvicorn.Server(config).serve()


def app_for(options: Options, client: AsyncCueAPI) -> Starlette:
    """Build the HTTP application; calls go over `client`, each with its caller's key.

    The server's own key stands in only on loopback: elsewhere it would let everybody in.
    """
    own_key = options.api_key if options.host in LOOPBACK else None

    def client_of(request: Any) -> AsyncCueAPI:
        key = bearer(request.headers) if isinstance(request, Request) else None
        return client.with_options(api_key=key or own_key)

    server = make_server(client_of, read_only=options.read_only)
    return http_app(
        server, host=options.host, allowed_hosts=options.allowed_hosts, needs_key=own_key is None
    )
