"""Webhooks as the server's dispatcher makes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from services.dispatcher.rules.request import WebhookRequest, webhook_request

SECRET = "whsec_" + "a1" * 32
OTHER_SECRET = "whsec_" + "b2" * 32


def webhook(
    payload: Any = None, *, secrets: tuple[str, ...] = (SECRET,), age: int = 0, **about: Any
) -> WebhookRequest:
    """A delivery that was signed `age` seconds ago."""
    facts: dict[str, Any] = {
        "method": "POST",
        "custom_headers": {},
        "cue_id": "cue_1",
        "name": "morgen-grüße",
        "execution_id": "exec-1",
        "attempt": 1,
        "scheduled_for": datetime(2026, 3, 28, 9, tzinfo=UTC),
        "traceparent": None,
    }
    stamp = int(time.time()) - age
    given = {"task": "t", "text": "ä"} if payload is None else payload
    return webhook_request(secrets=secrets, payload=given, timestamp=stamp, **{**facts, **about})
