"""Picking parts of a JSON document, in the simplest of jq's language: `.cues[].id`, `.a.b[0]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_STEP = re.compile(r'\.?(?:\[(?P<index>-?\d+)?\]|"(?P<quoted>[^"]*)"|(?P<name>[A-Za-z_]\w*))')


class BadPath(ValueError):
    """The path is not of this language."""


def picked(document: Any, path: str) -> Iterator[Any]:
    """Give the parts that a path leads to; what is not there is None. Raises BadPath."""
    if not path.startswith("."):
        raise BadPath(f"a path begins with a dot: .{path}")
    found, at = [document], 1 if path == "." else 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise BadPath(f"cannot read the path at {path[at:]!r}; pipe --json into jq for more")
        found = [part for each in found for part in _taken(each, step)]
        at = step.end()
    yield from found


def _taken(document: Any, step: re.Match[str]) -> Iterator[Any]:
    if step["index"] is not None:
        index = int(step["index"])
        inside = isinstance(document, list) and -len(document) <= index < len(document)
        yield document[index] if inside else None
    elif step["name"] is None and step["quoted"] is None:
        if isinstance(document, dict):
            yield from document.values()
        elif isinstance(document, list):
            yield from document
    else:
        name = step["name"] if step["name"] is not None else step["quoted"]
        yield document.get(name) if isinstance(document, dict) else None
