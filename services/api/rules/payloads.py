"""Payloads: free-form objects that are stored by the hash of their compact JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from libs.events.base import Reference
from libs.events.blobs import Blob, blob_of
from services.api.rules.json_text import compact

MAX_BYTES = 1_048_576
MAX_WORD = 255


class PayloadTooLarge(ValueError):
    """The payload's compact JSON has more than 1,048,576 bytes."""


class Payload(NamedTuple):
    """A payload ready to be stored; the empty object needs no blob."""

    reference: Reference
    blob: Blob | None


def payload_of(document: Mapping[str, Any]) -> Payload:
    """Turn a payload object into its reference and its blob.

    Raises PayloadTooLarge, and FaultyText.
    """
    if not document:
        return Payload(Reference(), None)
    body = compact(document)
    if len(body) > MAX_BYTES:
        raise PayloadTooLarge(
            f"the payload has {len(body)} bytes as compact JSON; at most {MAX_BYTES} are allowed"
        )
    blob = blob_of(body)
    return Payload(
        Reference(
            sha256=blob.sha256, task=_word(document.get("task")), agent=_word(document.get("agent"))
        ),
        blob,
    )


def merged(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `override` over `base`: its top-level keys win (contract nr 6, `merge`)."""
    return {**base, **override}


def _word(value: Any) -> str | None:
    # Workers choose by these words in an index, and a message carries them: so they are short.
    return value if isinstance(value, str) and len(value) <= MAX_WORD else None
