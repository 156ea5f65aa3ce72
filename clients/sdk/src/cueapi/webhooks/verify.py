"""Whether a webhook comes from CueAPI (contract §6, §16)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Body: TypeAlias = "bytes | str | Mapping[str, Any]"
Secrets: TypeAlias = "str | Sequence[str]"

TOLERANCE_SECONDS = 300


def verify_webhook(
    payload: Body,
    signature: str,
    secret: Secrets,
    timestamp: str | int,
    *,
    tolerance: int = TOLERANCE_SECONDS,
) -> bool:
    """Tell whether CueAPI signed this body, at most `tolerance` seconds from now.

    `signature` is `X-CueAPI-Signature`, `timestamp` is `X-CueAPI-Timestamp`. Any one of several
    secrets will do. Give the bytes as they came; of a parsed body the bytes are made again, as the
    server writes them. Never raises.
    """
    if not _is_recent(timestamp, tolerance):
        return False
    bodies = [*_bodies(payload)]
    return any(
        _same(signature, _signature(each, body, str(timestamp)))
        for each in _each(secret)
        for body in bodies
    )


def is_authentic(
    headers: Mapping[str, str],
    body: bytes,
    secret: Secrets,
    *,
    tolerance: int = TOLERANCE_SECONDS,
) -> bool:
    """Tell whether a request with these headers comes from CueAPI.

    Takes CueAPI's own headers, those of a secret that is being rotated too, and those of Standard
    Webhooks. Never raises.
    """
    told = {name.lower(): value for name, value in headers.items()}
    timestamp = told.get("x-cueapi-timestamp", "")
    for name in ("x-cueapi-signature", "x-cueapi-signature-previous"):
        if verify_webhook(body, told.get(name, ""), secret, timestamp, tolerance=tolerance):
            return True
    return _is_standard(told, body, secret, tolerance)


def _is_standard(told: Mapping[str, str], body: bytes, secret: Secrets, tolerance: int) -> bool:
    message_id, timestamp = told.get("webhook-id", ""), told.get("webhook-timestamp", "")
    if not message_id or not _is_recent(timestamp, tolerance):
        return False
    message = b".".join((message_id.encode(), timestamp.encode(), body))
    expected = [_standard_signature(each, message) for each in _each(secret)]
    given = told.get("webhook-signature", "").split()
    return any(_same(one, other) for one in given for other in expected)


def _is_recent(timestamp: str | int, tolerance: int) -> bool:
    text = str(timestamp)
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        return False
    return abs(time.time() - int(text)) <= tolerance


def _bodies(payload: Body) -> Iterable[bytes]:
    """Give the bytes that may have been signed: as they came, then as the server writes them."""
    document: Any = payload
    if isinstance(payload, (bytes, str)):
        raw = payload.encode() if isinstance(payload, str) else payload
        yield raw
        try:
            document = json.loads(raw)
        except ValueError:
            return
    yield json.dumps(document, sort_keys=True).encode()


def _each(secret: Secrets) -> Iterable[str]:
    # An empty secret would make a signature that anybody can make.
    secrets = (secret,) if isinstance(secret, str) else secret
    return [each for each in secrets if each]


def _signature(secret: str, body: bytes, timestamp: str) -> str:
    message = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _standard_signature(secret: str, message: bytes) -> str:
    text = secret.removeprefix("whsec_")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = secret.encode()
    return "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
