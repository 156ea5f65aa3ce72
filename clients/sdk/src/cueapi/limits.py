"""What the server takes in an outcome (contract nr 9), and how to fit into it.

An outcome that is refused is an outcome lost, so what is too long is cut and what cannot be cut is
left out, both noted in the metadata under `_cueapi_worker`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

MAX_TEXT = 8_000
MAX_URL = 2_048
MAX_ARTIFACTS = 100
MAX_ARTIFACTS_BYTES = 64 * 1024
MAX_METADATA_BYTES = 10_240

_NOTE = "_cueapi_worker"
_TEXTS: Mapping[str, int] = {
    "result": MAX_TEXT,
    "error": MAX_TEXT,
    "external_id": 255,
    "result_ref": 500,
    "result_type": 50,
    "summary": 500,
}


def as_json(value: Any) -> str:
    """Write anything as JSON; what JSON does not know becomes text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def fitted(body: Mapping[str, Any]) -> dict[str, Any]:
    """Make the body of an outcome one that the server takes."""
    kept: dict[str, Any] = {"success": bool(body.get("success"))}
    cut: list[str] = []
    dropped: list[str] = []
    for name, longest in _TEXTS.items():
        if body.get(name) is not None:
            text = _text(body[name])
            kept[name] = text[:longest]
            cut += [name] if len(text) > longest else []
    for name, fits in (("result_url", _is_url), ("artifacts", _are_artifacts)):
        value = _plain(body.get(name))
        if value is not None and fits(value):
            kept[name] = value
        elif value is not None:
            dropped.append(name)
    metadata = _plain(body.get("metadata")) or {}
    note = {name: names for name, names in (("cut", cut), ("dropped", dropped)) if names}
    told = {**metadata, _NOTE: {**metadata.get(_NOTE, {}), **note}} if note else metadata
    if _size(told) > MAX_METADATA_BYTES:
        told = {_NOTE: {**note, "dropped": [*dropped, "metadata"]}}
    return {**kept, "metadata": told} if told else kept


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else as_json(value)
    # The server refuses NUL and halves of surrogate pairs, which a command's output may hold.
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _plain(value: Any) -> Any:
    return None if value is None else json.loads(_text(as_json(value)))


def _size(value: Any) -> int:
    return len(as_json(value).encode())


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > MAX_URL or not value.isprintable():
        return False
    return urlsplit(value).scheme in ("http", "https") and " " not in value


def _are_artifacts(value: Any) -> bool:
    short = isinstance(value, list) and len(value) <= MAX_ARTIFACTS
    return short and _size(value) <= MAX_ARTIFACTS_BYTES
