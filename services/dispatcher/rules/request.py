"""What one attempt sends: body, signatures and headers (contract §6, §16)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from libs.events.base import Value
from libs.events.executions import SentHeaders
from libs.runtime.clock import rfc3339
from libs.runtime.http.signing import canonical_body, signature_headers, standard_signature


class WebhookRequest(Value):
    """One attempt's method, headers and bytes."""

    method: str
    headers: dict[str, str]
    body: bytes


def webhook_request(
    *,
    method: str,
    custom_headers: Mapping[str, str],
    secrets: tuple[str, ...],
    cue_id: str,
    name: str,
    execution_id: str,
    attempt: int,
    scheduled_for: datetime,
    payload: Any,
    timestamp: int,
    traceparent: str | None,
    test: bool = False,
) -> WebhookRequest:
    """Build an attempt's request. `secrets`: the present one, then the previous while it overlaps.

    `timestamp` is unix seconds, of this attempt. A GET has no body and signs the empty one.
    `test` marks a test delivery, which belongs to no execution.
    """
    slot = rfc3339(scheduled_for)
    body = (
        b""
        if method == "GET"
        else canonical_body(
            {
                "attempt": attempt,
                "cue_id": cue_id,
                "execution_id": execution_id,
                "name": name,
                "payload": payload,
                "scheduled_for": slot,
            }
        )
    )
    headers = {
        **custom_headers,
        "Content-Type": "application/json",
        **signature_headers(secrets, timestamp, body),
        "X-CueAPI-Cue-Id": cue_id,
        "X-CueAPI-Execution-Id": execution_id,
        "X-CueAPI-Scheduled-For": slot,
        "X-CueAPI-Attempt": str(attempt),
        "webhook-id": execution_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            standard_signature(secret, execution_id, timestamp, body) for secret in secrets
        ),
    }
    if test:
        headers["X-CueAPI-Test"] = "true"
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return WebhookRequest(method=method, headers=headers, body=body)


def sent_headers(headers: Mapping[str, str], own: Collection[str]) -> SentHeaders:
    """Keep what of a request's headers cannot be told later; `own` names the user's."""
    return SentHeaders(
        timestamp=int(headers["X-CueAPI-Timestamp"]),
        signature=headers["X-CueAPI-Signature"],
        webhook_signature=headers["webhook-signature"],
        previous_signature=headers.get("X-CueAPI-Signature-Previous"),
        traceparent=headers.get("traceparent"),
        own=tuple(own),
    )
