"""What a webhook that is told of trouble gets: body, headers, signatures (contract §6, §9)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any


def body_of(content: Mapping[str, Any]) -> bytes:
    """Dump what is told as deliveries are dumped, so that one verifier serves both."""
    return json.dumps(content, sort_keys=True).encode("ascii")


def headers_of(
    content: Mapping[str, Any], secrets: tuple[str, ...], timestamp: int
) -> dict[str, str]:
    """Give the headers for `content`, signed at `timestamp` (unix seconds).

    `secrets`: the present one, then the previous while both sign.
    """
    body = body_of(content)
    headers = {
        "Content-Type": "application/json",
        "X-CueAPI-Signature": signature(secrets[0], timestamp, body),
        "X-CueAPI-Timestamp": str(timestamp),
    }
    if "alert_id" in content:
        headers["X-CueAPI-Alert-Id"] = content["alert_id"]
        headers["X-CueAPI-Alert-Type"] = content["alert_type"]
    if len(secrets) > 1:
        headers["X-CueAPI-Signature-Previous"] = signature(secrets[1], timestamp, body)
    return headers


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of `timestamp.body`, keyed with the whole secret text."""
    message = b"%d.%s" % (timestamp, body)
    return "v1=" + hmac.digest(secret.encode(), message, "sha256").hex()
