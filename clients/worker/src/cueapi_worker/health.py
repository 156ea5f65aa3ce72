"""`/healthz` and `/metrics`, for whoever watches the worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from typing_extensions import override

from cueapi_worker.errors import WorkerError


@dataclass(frozen=True)
class Page:
    """What a path answers."""

    status: int
    content_type: str
    body: str


Pages = Mapping[str, Callable[[], Page]]
"""What the server answers, by path."""


def json_page(status: int, document: Any) -> Page:
    """Answer in JSON."""
    return Page(status, "application/json", json.dumps(document))


@contextmanager
def serving(address: str, pages: Pages) -> Iterator[int]:
    """Serve pages at `host:port` from a thread; gives the port.

    Raises WorkerError if it is taken.
    """
    host, _, port = address.rpartition(":")
    try:
        server = ThreadingHTTPServer((host, int(port)), _answering(pages))
    except OSError as error:
        raise WorkerError(
            f"cannot listen on {address}: {error.strerror}", "change `listen`"
        ) from error
    server.daemon_threads = True
    Thread(target=server.serve_forever, name="cueapi-health", daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _answering(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0

        def do_GET(self) -> None:  # the name that the library calls
            make = pages.get(self.path.partition("?")[0])
            page = make() if make else json_page(404, {"error": "not found"})
            body = page.body.encode()
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing: probes come every few seconds."""

    return Handler
