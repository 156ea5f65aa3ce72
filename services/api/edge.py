"""The ASGI edge around the endpoints: what holds for every answer, whoever gives it.

Request ids, CORS, one spelling of each path, and an envelope for what went wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.runtime.ids import new_uuid
from services.api.errors import broken, error_response
from services.api.routes.gate import ANSWER_HEADERS
from services.api.routes.operation import REQUEST_ID

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXPOSED = (
    b"X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After,"
    b" X-CueAPI-Usage-Warning, Idempotent-Replayed, ETag"
)
_PREFLIGHT_SECONDS = b"600"


class Edge:
    """Wraps the application. `origins` are the ones browsers may call from; `*` is any."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get("x-request-id"))
        origin = headers.get("origin")
        scope = {
            **scope,
            "path": _without_slash(scope["path"]),
            REQUEST_ID: request_id,
            ANSWER_HEADERS: [(b"x-request-id", request_id.encode()), *self._cors(origin)],
        }
        answer = _Answer(scope, send)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers, answer.send)
            return
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            log.exception("a request failed", method=scope["method"], request_id=request_id)
            if not answer.started:
                await error_response(broken(), request_id)(scope, receive, answer.send)

    def _cors(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        if "*" in self._origins:
            allowed = b"*"
        elif origin is not None and origin in self._origins:
            allowed = origin.encode("latin-1")
        else:
            return [(b"vary", b"Origin")]
        named = [] if allowed == b"*" else [(b"vary", b"Origin")]
        return [
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", _EXPOSED),
            *named,
        ]


class _Answer:
    """Adds the headers that were collected for the answer, as it starts."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = [*message.get("headers", []), *self._scope[ANSWER_HEADERS]]
            message = {**message, "headers": headers}
        await self._send(message)


def _request_id(given: str | None) -> str:
    return given if given is not None and _REQUEST_ID.fullmatch(given) else new_uuid()


def _without_slash(path: str) -> str:
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


async def _preflight(headers: Headers, send: Send) -> None:
    wanted = headers.get("access-control-request-headers", "*").encode("latin-1")
    await send(
        {
            "type": "http.response.start",
            "status": 204,
            "headers": [
                (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE, OPTIONS"),
                (b"access-control-allow-headers", wanted),
                (b"access-control-max-age", _PREFLIGHT_SECONDS),
            ],
        }
    )
    await send({"type": "http.response.body", "body": b""})
