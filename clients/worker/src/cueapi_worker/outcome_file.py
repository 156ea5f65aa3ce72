"""What a handler wrote into its outcome file, and what was wrong with it (clients.md §3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

LARGEST: Final = 10 * 1024


@dataclass(frozen=True)
class OutcomeFile:
    """The good fields of the file, the names of the others, and why it could not be read at all."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    parse_error: str | None = None


def read_outcome_file(path: Path) -> OutcomeFile:
    """Read a handler's outcome file; an empty or missing one says nothing."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return OutcomeFile()
    except OSError as error:
        return OutcomeFile(parse_error=f"cannot be read: {error.strerror}")
    if len(content) > LARGEST:
        return OutcomeFile(parse_error=f"larger than {LARGEST} bytes")
    return outcome_in(content)


def outcome_in(content: bytes) -> OutcomeFile:
    """Read the content of an outcome file; bad and unknown fields are dropped one by one."""
    if not content.strip():
        return OutcomeFile()
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return OutcomeFile(parse_error=f"not JSON in UTF-8: {error}"[:200])
    if not isinstance(document, dict):
        return OutcomeFile(parse_error="not a JSON object")
    known = {name: _FIELDS.get(name) for name in document}
    good = {
        name: document[name]
        for name, is_good in known.items()
        if is_good and is_good(document[name])
    }
    return OutcomeFile(good, tuple(name for name in document if name not in good))


def _is_good(name: str, value: Any) -> bool:
    check = _FIELDS.get(name)
    return check is not None and check(value)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False  # half of a surrogate pair: the API refuses it
    return True


def _is_url(value: Any) -> bool:
    if not _is_text(value) or len(value) > 2_000:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _is_artifacts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


_FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "success": lambda value: isinstance(value, bool),
    "result": _is_text,
    "error": _is_text,
    "external_id": _is_text,
    "result_ref": _is_text,
    "result_url": _is_url,
    "result_type": _is_text,
    "summary": _is_text,
    "artifacts": _is_artifacts,
    "metadata": lambda value: isinstance(value, dict),
}
