"""An HTTP transport that tells what the API answers, and otherwise only passes on."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from cueapi.overriding import override


class WatchingTransport(httpx.BaseTransport):
    """Passes requests on to `inner`, and tells each answer's status, None where none came."""

    def __init__(self, inner: httpx.BaseTransport, tell: Callable[[int | None], None]) -> None:
        self._inner = inner
        self._tell = tell

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on, and tell."""
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError:
            self._tell(None)
            raise
        self._tell(response.status_code)
        return response

    @override
    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
