"""Traces: spans out of W3C traceparents, sent to an OpenTelemetry collector where one is named.

Messages and events carry their traceparent, so the parts of a story find each other across
processes, restarts and hours; no context is kept in a process. Where no collector is named, or for
a trace that is not sampled, a span costs a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from libs.runtime.ids import new_trace_parent

Attributes = Mapping[str, str | int | float | bool]

_QUEUE, _BATCH, _DELAY_MS, _EXPORT_SECONDS = 8_192, 512, 1_000.0, 5.0
_ODD = frozenset("13579bdf")


class _State:
    """What `configure_telemetry` has set for this process."""

    tracer: Tracer | None = None
    sampled_below = 0
    """New traces whose id ends (in its last 56 bits) below this are sampled."""


class OpenSpan:
    """A span that has begun. What belongs to it carries its `traceparent`."""

    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = (
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"
        )

    def note(self, name: str, value: str | int | float | bool) -> None:
        """Add what became known after it began."""
        self._span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        """Give it the name that became known after it began."""
        self._span.update_name(name)

    def end(self, failure: str | None = None) -> None:
        """End it; `failure` says in a word what went wrong."""
        if failure is not None:
            self._span.set_status(StatusCode.ERROR, failure)
        self._span.end()


def configure_telemetry(service: str, endpoint: str, ratio: float) -> Callable[[], None]:
    """Send this process's spans to an OTLP/HTTP endpoint; give what to call at the end.

    `endpoint` is the collector's base URL, and nothing is sent where it is empty; `ratio` is the
    share of new traces that is sampled, where no caller has decided already.
    """
    if not endpoint:
        return lambda: None
    # Imported here, for what is not used need not be paid for: 40 MiB, half a second.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    provider = TracerProvider(
        sampler=ALWAYS_ON,  # what is not sampled does not come so far
        resource=Resource.create({"service.name": f"cueapi-{service}"}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=_QUEUE,
            max_export_batch_size=_BATCH,
            schedule_delay_millis=_DELAY_MS,
        )
    )
    _State.tracer = provider.get_tracer("cueapi")
    _State.sampled_below = int(ratio * 2**56)

    def finish() -> None:
        _State.tracer = None
        provider.shutdown()

    return finish


def collects(traceparent: str | None) -> bool:
    """Whether spans of this trace are sent anywhere."""
    return _State.tracer is not None and traceparent is not None and traceparent[-1] in _ODD


def trace_id_of(traceparent: str) -> str:
    """The trace of a W3C traceparent, 32 hexadecimal digits."""
    return traceparent.split("-")[1]


def exemplar_of(traceparent: str | None) -> dict[str, str] | None:
    """What a histogram remembers of an observation: its trace, if that can be looked at."""
    if traceparent is None or not collects(traceparent):
        return None
    return {"trace_id": trace_id_of(traceparent)}


def begin_trace(name: str, kind: SpanKind = SpanKind.INTERNAL) -> tuple[OpenSpan | None, str]:
    """Begin a trace; give its first span, if it is sampled and collected, and its traceparent.

    Where nobody collects, the traceparent says `sampled`: that is left to who receives it.
    """
    traceparent = new_trace_parent()
    if _State.tracer is None:
        return None, traceparent
    if int(traceparent[21:35], 16) >= _State.sampled_below:
        return None, traceparent[:-2] + "00"
    span = OpenSpan(_State.tracer.start_span(name, context=Context(), kind=kind))
    return span, span.traceparent


def open_span(
    name: str,
    parent: str | None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
    links: Sequence[str] = (),
    since_ns: int | None = None,
) -> OpenSpan | None:
    """Begin a span under a traceparent, now or at `since_ns` (unix nanoseconds).

    None where its trace is not sampled or nobody collects.
    """
    if _State.tracer is None or parent is None or parent[-1] not in _ODD:
        return None
    return OpenSpan(
        _State.tracer.start_span(
            name,
            context=set_span_in_context(NonRecordingSpan(_context_of(parent)), Context()),
            kind=kind,
            attributes=attributes,
            links=[Link(_context_of(link)) for link in links],
            start_time=since_ns,
        )
    )


@contextmanager
def span(name: str, parent: str | None, **options: Any) -> Iterator[str | None]:
    """Open a span for the block, see `open_span`; gives the traceparent of what happens in it."""
    opened = open_span(name, parent, **options)
    if opened is None:
        yield parent
        return
    try:
        yield opened.traceparent
    except BaseException as error:
        opened.end(type(error).__name__)
        raise
    opened.end()


def _context_of(traceparent: str) -> SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
