"""uvicorn as one part of the process: it listens, and stops when the supervisor says so."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

BACKLOG = 2_048
KEEP_ALIVE_SECONDS = 75


def bound_socket(host: str, port: int) -> socket.socket:
    """Take the address. Raises OSError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    # Connections inherit it. uvloop sets it by itself; asyncio's own loop does not on this socket,
    # and then the body waits 40 ms for the acknowledgement of the head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class HttpServer:
    """Serves an ASGI application until cancelled; then finishes the requests in hand."""

    name = "http"

    def __init__(self, application: ASGIApp, listening: socket.socket, grace: float) -> None:
        self._listening = listening
        self._server = _Server(
            uvicorn.Config(
                application,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # TRUSTED_PROXIES says whom to believe
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, int(grace) - 1),
            )
        )

    async def run(self) -> None:
        """Serve until cancelled."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        try:
            await asyncio.shield(serving)
        finally:
            self._server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Leaves the signals to the supervisor."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
