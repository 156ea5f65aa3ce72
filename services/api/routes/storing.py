"""Documents that go into blobs before the command that refers to them is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.events.blobs import Blob, blob_of
from services.api.errors import ApiError, Detail, ShapeError
from services.api.rules.json_text import FaultyText, compact
from services.api.rules.payloads import Payload, PayloadTooLarge, payload_of


def stored_payload(document: Mapping[str, Any]) -> Payload:
    """Make a payload ready to be stored. Raises ApiError."""
    try:
        return payload_of(document)
    except PayloadTooLarge as error:
        raise ApiError("invalid_payload_size", str(error)) from error
    except FaultyText as error:
        raise ApiError("invalid_payload", str(error)) from error


def stored_text(text: str | None) -> Blob | None:
    """Make a text ready to be stored."""
    return None if text is None else blob_of(compact(text))


def measured(value: Any, field: str, longest: int, refusal: ApiError | None = None) -> None:
    """Refuse a value whose compact JSON is over `longest` bytes, with 422 or with `refusal`."""
    if len(compact(value)) > longest:
        message = f"at most {longest} bytes of JSON are allowed"
        raise refusal or ShapeError([Detail(field, message)])
