"""The outcome in a webhook's answer (contract §6): hostile JSON, read strictly and cut to size."""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import urlsplit

from libs.events.base import Value
from libs.events.evidence import (
    ARTIFACTS,
    ARTIFACTS_BYTES,
    FIELDS,
    METADATA_BYTES,
    TEXT_LIMITS,
    URL_LIMIT,
    evidence_in,
)

DEPTH = 100  # levels of nesting, the answer's own object among them
DIGITS = 300

_FAULTY = re.compile("[\0\ud800-\udfff]")


class AnsweredOutcome(Value):
    """A report found in an answer, and the texts and evidence that came with it."""

    success: bool
    details: dict[str, Any]

    @property
    def evidence(self) -> tuple[str, ...]:
        """Name the evidence fields that were given and are not empty."""
        return evidence_in(self.details)


def outcome_in(body: bytes, *, complete: bool) -> AnsweredOutcome | None:
    """Read an outcome from a 2xx answer's body: a JSON object with a real boolean `success`.

    Anything else is a plain ACK, None. Over-long texts are cut, malformed fields dropped.
    """
    if not complete:
        return None
    try:
        answer = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("success"), bool):
        return None
    details = {name: kept for name in FIELDS if (kept := _kept(name, answer))}
    return AnsweredOutcome(success=answer["success"], details=details)


def _kept(name: str, answer: dict[str, Any]) -> Any:
    value = answer.get(name)
    match name, value:
        case "result_url", str():
            return value if _is_web_url(value) else None
        case "artifacts", list() if len(value) <= ARTIFACTS:
            return value if _fits(value, ARTIFACTS_BYTES) else None
        case "metadata", dict():
            return value if _fits(value, METADATA_BYTES) else None
        case _, str() if name in TEXT_LIMITS:
            text = value[: TEXT_LIMITS[name]]
            return text if _is_sound(text, DEPTH) else None
        case _:
            return None


def _is_web_url(text: str) -> bool:
    if len(text) > URL_LIMIT or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _fits(value: Any, limit: int) -> bool:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return False
    # Measured first: what is small is soon walked through.
    return len(text.encode("utf-8", "surrogatepass")) <= limit and _is_sound(value, DEPTH - 1)


def _is_sound(value: Any, levels: int) -> bool:
    """Whether a value is one that our own API would take: its texts, numbers and nesting."""
    match value:
        case str():
            return _FAULTY.search(value) is None
        case float():
            return math.isfinite(value)
        case dict():
            parts = [*value, *value.values()]
        case list():
            parts = value
        case _:
            return True
    return levels > 0 and all(_is_sound(part, levels - 1) for part in parts)


def _integer(text: str) -> float:
    return int(text) if len(text) <= DIGITS else math.inf


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_constant)
