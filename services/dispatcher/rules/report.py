"""The outcome in a webhook's answer (contract §6): hostile JSON, read strictly and cut to size."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from libs.events.base import Value

TEXT_LIMITS = {
    "result": 8_000,
    "error": 8_000,
    "external_id": 255,
    "result_ref": 500,
    "result_type": 50,
    "summary": 500,
}
URL_LIMIT = 2_048
ARTIFACTS, ARTIFACTS_BYTES = 100, 64 * 1024
METADATA_BYTES = 10_240
EVIDENCE = ("external_id", "result_url", "artifacts")
DEPTH = 100


class AnsweredOutcome(Value):
    """A report found in an answer, and the texts and evidence that came with it."""

    success: bool
    details: dict[str, Any]

    @property
    def evidence(self) -> tuple[str, ...]:
        """Name the evidence fields that were given and are not empty."""
        return tuple(name for name in EVIDENCE if self.details.get(name))


def outcome_in(body: bytes, *, complete: bool) -> AnsweredOutcome | None:
    """Read an outcome from a 2xx answer's body: a JSON object with a real boolean `success`.

    Anything else is a plain ACK, None. Over-long texts are cut, malformed fields dropped.
    """
    if not complete or not body or b'"success"' not in body:
        return None
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("success"), bool):
        return None
    details = {name: kept for name in (*TEXT_LIMITS, *_OTHERS) if (kept := _kept(name, answer))}
    return AnsweredOutcome(success=answer["success"], details=details)


_OTHERS = ("result_url", "artifacts", "metadata")


def _kept(name: str, answer: dict[str, Any]) -> Any:
    value = answer.get(name)
    match name, value:
        case "result_url", str():
            return value if _is_web_url(value) else None
        case "artifacts", list() if len(value) <= ARTIFACTS:
            return value if _fits(value, ARTIFACTS_BYTES) else None
        case "metadata", dict():
            return value if _fits(value, METADATA_BYTES) else None
        case _, str() if name in TEXT_LIMITS and _is_storable(value):
            return value[: TEXT_LIMITS[name]]
        case _:
            return None


def _is_web_url(text: str) -> bool:
    if len(text) > URL_LIMIT or not _is_storable(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _fits(value: Any, limit: int) -> bool:
    try:
        text = msgspec.json.encode(value)
    except RecursionError:
        return False
    return len(text) <= limit and b"\\u0000" not in text


def _is_storable(text: str) -> bool:
    return "\x00" not in text
