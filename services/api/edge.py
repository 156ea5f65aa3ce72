"""The edge around the application: what holds for every answer, whoever gives it.

Request ids, CORS, one spelling of each path, and a bound on the requests in hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.runtime.ids import new_uuid
from libs.runtime.telemetry import trace_id_of
from services.api.errors import (
    ERROR_PAGE,
    REQUEST_ID,
    TRACE_PARENT,
    error_response,
    unavailable,
)
from services.api.routes.gate import ANSWER_HEADERS
from services.api.story import Story

log = structlog.get_logger()

Headers = list[tuple[bytes, bytes]]

MOST_IN_HAND = 2_000

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXPOSED = (
    b"X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After,"
    b" X-CueAPI-Usage-Warning, Idempotent-Replayed, ETag"
)
_PREFLIGHT_SECONDS = "600"


class Edge:
    """Wraps the application. `origins` are the ones browsers may call from; `*` is any.

    `error_page` is the address of the page that explains the codes.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], error_page: str) -> None:
        self._app = app
        self._error_page = error_page
        self._origins = frozenset(origins)
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert scope["type"] == "http", "the server runs without lifespan and websockets"
        request = Request(scope, receive)
        scope["path"] = _without_slash(scope["path"])
        scope[REQUEST_ID] = request_id = _request_id(request.headers.get("x-request-id"))
        scope[ERROR_PAGE] = self._error_page
        scope[ANSWER_HEADERS] = [
            (b"x-request-id", request_id.encode()),
            *self._cors(request.headers.get("origin")),
        ]

        story = Story(request)
        scope[TRACE_PARENT] = story.traceparent
        # Whatever is logged while the request is in hand names it and its trace.
        structlog.contextvars.bind_contextvars(
            request_id=request_id, trace_id=trace_id_of(story.traceparent)
        )

        async def send_whole(message: Message) -> None:
            if message["type"] == "http.response.start":
                story.answered(message["status"])
                message["headers"] = [*message["headers"], *scope[ANSWER_HEADERS]]
            await send(message)

        self._in_hand += 1
        try:
            await self._within(request)(scope, receive, send_whole)
        except Exception:
            # FastAPI has answered it and raises it again, for whoever writes the log.
            log.exception("a request failed", method=request.method)
        finally:
            self._in_hand -= 1
            story.end()
            structlog.contextvars.unbind_contextvars("request_id", "trace_id")

    def _within(self, request: Request) -> ASGIApp:
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return _preflight(request)
        if self._in_hand > MOST_IN_HAND:
            refusal = unavailable("this server, which has too much in hand,")
            return error_response(refusal, request)
        return self._app

    def _cors(self, origin: str | None) -> Headers:
        if "*" in self._origins:
            allowed, varies = b"*", []
        else:
            allowed, varies = (origin or "").encode("latin-1"), [(b"vary", b"Origin")]
            if origin not in self._origins:
                return varies
        return [
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", _EXPOSED),
            *varies,
        ]


def _request_id(given: str | None) -> str:
    return given if given is not None and _REQUEST_ID.fullmatch(given) else new_uuid()


def _without_slash(path: str) -> str:
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


def _preflight(request: Request) -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE, OPTIONS",
            "Access-Control-Allow-Headers": request.headers.get(
                "access-control-request-headers", "*"
            ),
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        },
    )
