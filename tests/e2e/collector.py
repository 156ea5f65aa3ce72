"""A collector of traces: takes OTLP over HTTP, as an OpenTelemetry collector does."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Collected:
    """One span; `parent` is the id of the span above it, empty at the root."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent: str
    attributes: Mapping[str, Any]
    failed: bool
    links: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Who did what."""
        return f"{self.service.removeprefix('cueapi-')}: {self.name}"


class Collector:
    """Keeps every span that it is sent; `async with` starts and stops it."""

    def __init__(self) -> None:
        self.spans: list[Collected] = []
        self._runner: web.AppRunner | None = None
        self.endpoint = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, 0).start()
        self.endpoint = f"http://{_HOST}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def trace(self, trace_id: str) -> list[Collected]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            service = _value(resource.resource.attributes).get("service.name", "")
            for scope in resource.scope_spans:
                self.spans += [_collected(service, span) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")


def _collected(service: str, span: Any) -> Collected:
    return Collected(
        service=service,
        name=span.name,
        kind=span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        attributes=_value(span.attributes),
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        links=tuple(link.span_id.hex() for link in span.links),
    )


def _value(attributes: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in attributes
    }
