"""Spans of messages and events, named by OpenTelemetry's conventions for messaging.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from msgspec.structs import replace
from opentelemetry.trace import SpanKind

from libs.events.envelope import CommandEnvelope, Meta, Notice, Recorded
from libs.events.subjects import event_subject, snake
from libs.runtime.telemetry import OpenSpan, open_span


def sending(subject: str, parent: str | None, message_id: str, count: int = 1) -> OpenSpan | None:
    """Begin the span of sending a message, which holds `count` messages, to a subject."""
    return open_span(
        f"send {subject}",
        parent,
        kind=SpanKind.PRODUCER,
        attributes={**_about(subject, "send"), "messaging.message.id": message_id}
        | ({"messaging.batch.message_count": count} if count > 1 else {}),
    )


def processing(subject: str, parent: str | None, group: str, message_id: str) -> OpenSpan | None:
    """Begin the span of handling a message that a consumer group was brought."""
    return open_span(
        f"process {subject}",
        parent,
        kind=SpanKind.CONSUMER,
        attributes={
            **_about(subject, "process"),
            "messaging.message.id": message_id,
            "messaging.consumer.group.name": group,
        },
    )


def within(span: OpenSpan | None, meta: Meta) -> Meta:
    """Let what a message causes belong to its span."""
    return meta if span is None else replace(meta, traceparent=span.traceparent)


@contextmanager
def ending(span: OpenSpan | None) -> Iterator[None]:
    """End a span with the block, and say with which error it ended."""
    if span is None:
        yield
        return
    try:
        yield
    except BaseException as error:
        span.end(type(error).__name__)
        raise
    span.end()


@contextmanager
def told(subject: str, batch: Sequence[Notice]) -> Iterator[Sequence[Notice]]:
    """Put on its trace that each of these notices is sent; gives them as they are to be sent."""
    with ExitStack() as spans:
        sent = []
        for notice in batch:
            if (span := sending(subject, notice.traceparent, notice.id, len(batch))) is not None:
                spans.enter_context(ending(span))
                notice = replace(notice, traceparent=span.traceparent)
            sent.append(notice)
        yield sent


@contextmanager
def heard(group: str, notices: Sequence[Notice]) -> Iterator[None]:
    """Put on its trace that each of these notices is handled by a consumer group."""
    with ExitStack() as spans:
        for notice in notices:
            subject = event_subject(notice.type)
            if (span := processing(subject, notice.traceparent, group, notice.id)) is not None:
                spans.enter_context(ending(span))
        yield


@contextmanager
def decided(
    group: str, envelopes: Sequence[CommandEnvelope]
) -> Iterator[Sequence[CommandEnvelope]]:
    """Put on its trace that each of these commands is decided; gives them as they are to be."""
    with ExitStack() as spans:
        inner = []
        for envelope in envelopes:
            subject = f"commands.{group.removesuffix('-commands')}.{snake(envelope.type)}"
            span = processing(subject, envelope.meta.traceparent, group, envelope.id)
            if span is not None:
                spans.enter_context(ending(span))
                envelope = replace(envelope, meta=within(span, envelope.meta))
            inner.append(envelope)
        yield inner


def appended(recorded: Sequence[Recorded], since_ns: int) -> None:
    """Put each event that was committed on its trace, with the transaction that wrote it."""
    for item in recorded:
        opened = open_span(
            f"append {item.type}",
            item.meta.traceparent,
            attributes={
                "cueapi.event.type": item.type,
                "cueapi.event.id": item.id,
                "cueapi.stream.id": item.stream_id,
                "cueapi.stream.version": item.version,
                "cueapi.account.id": item.account_id,
            },
            since_ns=since_ns,
        )
        if opened is not None:
            opened.end()


def _about(subject: str, operation: str) -> dict[str, str | int]:
    return {
        "messaging.system": "nats",
        "messaging.destination.name": subject,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }
