"""How requests to users are signed: over a timestamp and the very bytes, so that both are proven.

Both schemes and the canonical body are the contract's, §6 and §16.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any


def canonical_body(content: Mapping[str, Any]) -> bytes:
    """Dump as Python's default sorted JSON: clients that dump it anew get these bytes."""
    return json.dumps(content, sort_keys=True).encode("ascii")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of `timestamp.body`, keyed with the whole secret text."""
    message = b"%d.%s" % (timestamp, body)
    return "v1=" + hmac.digest(secret.encode(), message, "sha256").hex()


def standard_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The Standard Webhooks signature: `v1,` and base64, keyed with the secret's hex as bytes."""
    key = bytes.fromhex(secret.removeprefix("whsec_"))
    message = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, message, "sha256")).decode()


def signature_headers(secrets: tuple[str, ...], timestamp: int, body: bytes) -> dict[str, str]:
    """Sign a body at `timestamp` (unix seconds).

    `secrets`: the present one, then the previous while both sign.
    """
    headers = {
        "X-CueAPI-Signature": signature(secrets[0], timestamp, body),
        "X-CueAPI-Timestamp": str(timestamp),
    }
    if len(secrets) > 1:
        headers["X-CueAPI-Signature-Previous"] = signature(secrets[1], timestamp, body)
    return headers
