"""What is told of a request: its metrics, its line in the log if we failed it, and its span.

The span is named by OpenTelemetry's conventions for HTTP servers:
https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
"""

from __future__ import annotations

import re
from functools import cache

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Gauge, Histogram
from starlette.requests import Request

from libs.runtime.clock import monotonic
from libs.runtime.telemetry import OpenSpan, begin_trace, exemplar_of, open_span
from services.api.errors import REQUEST_ID

log = structlog.get_logger()

REQUESTS = Histogram(
    "cueapi_http_request_duration_seconds",
    "From a request's head to its answer's, by route and class of status",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
IN_HAND = Gauge("cueapi_http_requests_in_hand", "Requests that are not answered yet, streams too")

_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})

_TRACE_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Story:
    """One request's part of a trace: the caller's, if it sent a W3C traceparent, else a new one.

    `traceparent` is what everything belongs to that the request causes.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._began = monotonic()
        self._status, self._took = 0, 0.0
        IN_HAND.inc()
        sent = request.headers.get("traceparent", "")
        self._span, self.traceparent = _begun(request.method, sent)

    def answered(self, status: int) -> None:
        """Say with which HTTP status the answer begins."""
        self._status, self._took = status, monotonic() - self._began
        if self._span is not None:
            self._span.note("http.response.status_code", status)

    def end(self) -> None:
        """Count it, and end the span, under the name of the route that was found."""
        request = self._request
        route = getattr(request.scope.get("route"), "path", None)
        self._count(request.method, route)
        if self._span is None:
            return
        if route is not None:
            self._span.rename(f"{request.method} {route}")
            self._span.note("http.route", route)
        self._span.note("http.request.method", request.method)
        self._span.note("cueapi.request.id", request.scope[REQUEST_ID])
        self._span.end()

    def _count(self, method: str, route: str | None) -> None:
        IN_HAND.dec()
        # Who is gone before the answer has no status, and is nobody's fault.
        status = f"{self._status // 100}xx" if self._status else "none"
        method = method if method in _METHODS else "other"
        _requests(method, route or "unmatched", status).observe(
            self._took, exemplar_of(self.traceparent)
        )
        if status == "5xx":
            log.warning("we failed a request", method=method, route=route, status=self._status)


@cache
def _requests(method: str, route: str, status: str) -> Histogram:
    # Finding a series by its labels costs more than the observation.
    return REQUESTS.labels(method, route, status)


def _begun(method: str, sent: str) -> tuple[OpenSpan | None, str]:
    if _TRACE_PARENT.fullmatch(sent):
        span = open_span(method, sent, kind=SpanKind.SERVER)
        return span, sent if span is None else span.traceparent
    return begin_trace(method, SpanKind.SERVER)
