"""How answers travel: compressed for those who ask for it, and without a body for HEAD."""

from __future__ import annotations

import re

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# One cue or execution fills a packet or two: to compress it would take longer than to send it.
SMALLEST_BYTES = 4_096
# Level 4 is three times as fast as 9, and makes JSON a tenth larger than that.
LEVEL = 4
# A page of a sign-in shows what was sent beside a secret: compressed, its length would tell of it.
NEVER = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "text/html")

_ASKS = re.compile(rb"\b(?:x-)?gzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s|,|$))", re.IGNORECASE)


class Transfer:
    """Wraps the application. Who does not ask for compression pays nothing for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = GZipMiddleware(app, SMALLEST_BYTES, LEVEL, exclude_content_types=NEVER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "HEAD":
            await self._plain({**scope, "method": "GET"}, receive, _without_body(send))
        elif asks_for_gzip(scope):
            await self._compressing(scope, receive, send)
        else:
            await self._plain(scope, receive, send)


def asks_for_gzip(scope: Scope) -> bool:
    """Whether the request names gzip in `Accept-Encoding`, and not to exclude it."""
    return any(
        _ASKS.search(value) is not None
        for name, value in scope["headers"]
        if name == b"accept-encoding"
    )


def _without_body(send: Send) -> Send:
    ended = False

    async def send_head(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:
            # The first part of a body is its end: also of an answer that would go on for ever.
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head
