"""An HTTP transport that tells what the API answers, and otherwise only passes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from cueapi.overriding import override

Tell = Callable[["int | None", "str | None"], None]
"""Takes an answer's status, None for none, and of a 401 the error's code."""


class WatchingTransport(httpx.BaseTransport):
    """Passes requests on to `inner`, and tells of each answer."""

    def __init__(self, inner: httpx.BaseTransport, tell: Tell) -> None:
        self._inner = inner
        self._tell = tell

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on, and tell."""
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError:
            self._tell(None, None)
            raise
        code = None
        if response.status_code == 401:
            response.read()
            code = _code(response)
        self._tell(response.status_code, code)
        return response

    @override
    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _code(response: httpx.Response) -> str | None:
    try:
        document: Any = response.json()
        return str(document["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return None
