"""MCP over streamable HTTP: whose call it is, and who may call at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PATH = "/mcp"


def bearer(headers: Headers) -> str | None:
    """Give the bearer token of a request."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def http_app(
    server: Server[Any], *, host: str, allowed_hosts: Sequence[str] = (), needs_key: bool
) -> Starlette:
    """Serve at `/mcp`, without sessions: any request may go to any replica.

    A page in a browser must not reach a server on loopback through a name of its own (DNS
    rebinding), so only loopback's names and `allowed_hosts` (`name` or `name:port`) are answered.
    With `needs_key`, requests without a bearer token are refused with 401.
    """
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        host=host,
        transport_security=_security(allowed_hosts),
    )
    if needs_key:
        app.add_middleware(KeyNeeded)
    return app


def _security(allowed_hosts: Sequence[str]) -> TransportSecuritySettings:
    loopback = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
    schemes = ("http", "https")
    return TransportSecuritySettings(
        allowed_hosts=[*loopback, *allowed_hosts],
        allowed_origins=[
            *(f"http://{name}" for name in loopback),
            *(f"{scheme}://{name}" for name in allowed_hosts for scheme in schemes),
        ],
    )


class KeyNeeded:
    """Refuses requests without a bearer token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or pass on."""
        if scope["type"] != "http" or bearer(Headers(scope=scope)) is not None:
            await self._app(scope, receive, send)
            return
        message = "Send your CueAPI key: `Authorization: Bearer cue_sk_...`."
        error = {"code": "invalid_api_key", "message": message, "status": 401}
        answer = JSONResponse({"error": error}, 401, {"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)
