"""Deliveries as the server makes and signs them (contract §6): for copies and samples."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Delivery:
    """One request to a handler."""

    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"

    @property
    def execution_id(self) -> str:
        """The execution that it delivers."""
        return self.headers["X-CueAPI-Execution-Id"]


def body_of(execution: Mapping[str, Any], attempt: int) -> bytes:
    """The bytes of a delivery: six keys, as Python dumps them sorted."""
    fields = {
        "attempt": attempt,
        "cue_id": execution["cue_id"],
        "execution_id": execution["id"],
        "name": execution["cue_name"],
        "payload": execution["payload"],
        "scheduled_for": execution["scheduled_for"],
    }
    return json.dumps(fields, sort_keys=True).encode("ascii")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of `timestamp.body`."""
    message = b"%d.%s" % (timestamp, body)
    return "v1=" + hmac.new(secret.encode(), message, "sha256").hexdigest()


def standard_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of Standard Webhooks."""
    key = bytes.fromhex(secret.removeprefix("whsec_"))
    message = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, message, "sha256")).decode()


def signed(execution: Mapping[str, Any], attempt: int, secret: str, timestamp: int) -> Delivery:
    """A delivery of an execution, signed now."""
    body = body_of(execution, attempt)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "CueAPI/1.0",
        "X-CueAPI-Signature": signature(secret, timestamp, body),
        "X-CueAPI-Timestamp": str(timestamp),
        "X-CueAPI-Cue-Id": execution["cue_id"],
        "X-CueAPI-Execution-Id": execution["id"],
        "X-CueAPI-Scheduled-For": execution["scheduled_for"],
        "X-CueAPI-Attempt": str(attempt),
        "webhook-id": execution["id"],
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_signature(secret, execution["id"], timestamp, body),
    }
    return Delivery(body, headers)


def copied(
    execution: Mapping[str, Any], attempt: Mapping[str, Any], secret: str, now: int
) -> tuple[Delivery, bool]:
    """A delivery as it went out, and whether its own signature is intact.

    It is signed again when the bytes cannot be made as they were (the cue has another name or
    secret by now), or when it is so old that a handler would refuse it.
    """
    number = attempt["attempt"]
    sent = {name: value for name, value in attempt["request_headers"].items() if value != "***"}
    body = body_of({**execution, "scheduled_for": sent["X-CueAPI-Scheduled-For"]}, number)
    stamp = sent.get("X-CueAPI-Timestamp", "")
    if stamp.isdigit() and abs(now - int(stamp)) < TOLERANCE_SECONDS:
        expected = signature(secret, int(stamp), body)
        if hmac.compare_digest(expected, sent.get("X-CueAPI-Signature", "")):
            return Delivery(body, sent), True
    return signed(execution, number, secret, now), False
