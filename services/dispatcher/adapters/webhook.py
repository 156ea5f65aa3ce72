"""One attempt on the wire: sign, send, and say what the answer means."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace
from opentelemetry.trace import SpanKind

from libs.events.base import Value
from libs.events.blobs import Blob, blob_of
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.executions import Facts, Report
from libs.runtime.clock import ServerClock
from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.exchange import Response
from libs.runtime.http.failures import OutboundError
from libs.runtime.http.urls import InvalidURL, check_url
from libs.runtime.ids import new_span_of
from libs.runtime.telemetry import OpenSpan, open_span
from services.dispatcher.decider.attempts import Acknowledged, NotAcknowledged, Result
from services.dispatcher.rules.report import AnsweredOutcome, outcome_in
from services.dispatcher.rules.request import WebhookRequest, sent_headers, webhook_request
from services.dispatcher.rules.retry import retry_after_seconds

KEPT_BYTES = 64 * 1024


class Attempt(Value):
    """All that sending one attempt needs; nothing of it is read from the database again."""

    facts: Facts
    epoch: int
    settings: CueSettings
    payload: Any
    headers: dict[str, str]
    secrets: tuple[str, ...]
    clock: ServerClock
    test: bool = False


class Exchange(NamedTuple):
    """What was sent, and the answer to it, or why there is none."""

    request: WebhookRequest
    answer: Response | NotAcknowledged


class Sent(Value):
    """An attempt's result, and the bodies that belong on record with it."""

    result: Result
    blobs: tuple[Blob, ...] = ()


class Webhook(Protocol):
    """The port: sends one attempt, never raises for what the receiver does."""

    def host_of(self, url: str | None) -> str:
        """Name the destination by which attempts are bounded."""
        ...

    async def send(self, attempt: Attempt) -> Sent:
        """Send it, within the cue's timeout."""
        ...

    async def exchange(self, attempt: Attempt, timeout: float) -> Exchange:
        """Send it, within `timeout` seconds, and do not judge the answer."""
        ...


class HttpWebhook:
    """The port over HTTP, through the one checked client."""

    def __init__(self, client: OutboundClient, policy: EgressPolicy) -> None:
        self._client = client
        self._policy = policy

    def host_of(self, url: str | None) -> str:
        """Name the destination by which attempts are bounded."""
        try:
            return check_url(url or "", self._policy).authority
        except InvalidURL:
            return ""

    async def send(self, attempt: Attempt) -> Sent:
        """Send one attempt and classify its answer (contract §6, Result of an attempt)."""
        exchange = await self.exchange(attempt, float(attempt.settings.delivery.timeout_seconds))
        sent = classified(exchange.answer)
        kept = sent_headers(exchange.request.headers, attempt.headers)
        return replace(sent, result=replace(sent.result, sent=kept))

    async def exchange(self, attempt: Attempt, timeout: float) -> Exchange:
        """Sign and send one attempt; give what was sent, and what came of it in `timeout` s."""
        span = _span(attempt)
        request = _request(
            attempt, new_span_of(attempt.facts.traceparent) if span is None else span.traceparent
        )
        exchange = await self._exchanged(attempt, request, timeout)
        if span is not None:
            _told(span, exchange.answer)
        return exchange

    async def _exchanged(
        self, attempt: Attempt, request: WebhookRequest, timeout: float
    ) -> Exchange:
        try:
            url = check_url(attempt.settings.callback.url or "", self._policy)
            answer = await self._client.send(
                request.method, url, request.headers, request.body, timeout
            )
        except InvalidURL as error:
            message = f"the callback URL is blocked: {error.reason}"[:500]
            return Exchange(request, NotAcknowledged(error="blocked", message=message))
        except OutboundError as error:
            return Exchange(request, NotAcknowledged(error=error.stage, message=error.message))
        return Exchange(request, answer)


def _span(attempt: Attempt) -> OpenSpan | None:
    """Begin the span of an attempt: https://opentelemetry.io/docs/specs/semconv/http/http-spans/"""
    facts, method = attempt.facts, attempt.settings.callback.method
    return open_span(
        method,
        facts.traceparent,
        kind=SpanKind.CLIENT,
        attributes={
            "http.request.method": method,
            "server.address": urlsplit(attempt.settings.callback.url or "").hostname or "",
            "http.request.resend_count": attempt.epoch - 1,
            "cueapi.execution.id": facts.id,
            "cueapi.cue.id": facts.cue_id,
            "cueapi.account.id": facts.account_id,
        },
    )


def _told(span: OpenSpan, answer: Response | NotAcknowledged) -> None:
    if isinstance(answer, NotAcknowledged):
        span.end(answer.error)
        return
    span.note("http.response.status_code", answer.status)
    span.end(None if 200 <= answer.status < 300 else str(answer.status))


def _request(attempt: Attempt, traceparent: str) -> WebhookRequest:
    facts, settings = attempt.facts, attempt.settings
    return webhook_request(
        method=settings.callback.method,
        custom_headers=attempt.headers,
        secrets=attempt.secrets,
        cue_id=facts.cue_id,
        name=settings.name,
        execution_id=facts.id,
        attempt=attempt.epoch,
        scheduled_for=facts.scheduled_for,
        payload=attempt.payload,
        timestamp=attempt.clock.unix_now(),
        traceparent=traceparent,
        test=attempt.test,
    )


def classified(answer: Response | NotAcknowledged) -> Sent:
    """Say what an answer means: any 2xx is an ACK, whatever its body; all else has failed."""
    if isinstance(answer, NotAcknowledged):
        return Sent(result=answer)
    kept = blob_of(answer.body[:KEPT_BYTES]) if answer.body else None
    blobs: tuple[Blob, ...] = (kept,) if kept else ()
    response_ref = kept.sha256 if kept else None
    if not 200 <= answer.status < 300:
        failed = NotAcknowledged(
            error="status",
            message=f"the callback answered with an error status ({answer.status})",
            http_status=answer.status,
            response_ref=response_ref,
            retry_after=retry_after_seconds(answer.status, answer.headers.get("Retry-After")),
        )
        return Sent(result=failed, blobs=blobs)
    report = None
    outcome = outcome_in(answer.body, complete=answer.body_complete and not answer.truncated)
    if outcome is not None:
        details = blob_of(msgspec.json.encode(outcome.details)) if outcome.details else None
        report = _report(outcome, details)
        blobs += (details,) if details else ()
    acknowledged = Acknowledged(http_status=answer.status, response_ref=response_ref, report=report)
    return Sent(result=acknowledged, blobs=blobs)


def _report(outcome: AnsweredOutcome, details: Blob | None) -> Report:
    return Report(
        success=outcome.success,
        details_ref=details.sha256 if details else None,
        evidence=outcome.evidence,
        result_type=outcome.details.get("result_type"),
    )
