"""The span of a request, named by OpenTelemetry's conventions for HTTP servers.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
"""

from __future__ import annotations

import re

from opentelemetry.trace import SpanKind
from starlette.requests import Request

from libs.runtime.ids import new_trace_parent
from libs.runtime.telemetry import OpenSpan, open_root, open_span
from services.api.errors import REQUEST_ID

_TRACE_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Story:
    """One request's part of a trace: the caller's, if it sent a W3C traceparent, else a new one.

    `traceparent` is what everything belongs to that the request causes.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        sent = request.headers.get("traceparent", "")
        self._span, self.traceparent = _begun(request.method, sent)

    def answered(self, status: int) -> None:
        """Say with which HTTP status the answer begins."""
        if self._span is not None:
            self._span.note("http.response.status_code", status)

    def end(self) -> None:
        """End the span, under the name of the route that was found."""
        if self._span is None:
            return
        request = self._request
        route = getattr(request.scope.get("route"), "path", None)
        if route is not None:
            self._span.rename(f"{request.method} {route}")
            self._span.note("http.route", route)
        self._span.note("http.request.method", request.method)
        self._span.note("cueapi.request.id", request.scope[REQUEST_ID])
        self._span.end()


def _begun(method: str, sent: str) -> tuple[OpenSpan | None, str]:
    if _TRACE_PARENT.fullmatch(sent):
        span = open_span(method, sent, kind=SpanKind.SERVER)
        return span, sent if span is None else span.traceparent
    span = open_root(method, SpanKind.SERVER)
    return span, new_trace_parent() if span is None else span.traceparent
