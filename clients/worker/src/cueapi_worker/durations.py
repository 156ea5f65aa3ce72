"""Spans of time as people write them: `30`, `30s`, `5m`, `1.5h`."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_FORM: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)")


def seconds(value: object) -> float:
    """Read a span as seconds; a bare number is seconds. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is no span of time: write 30, 30s, 5m or 1h")
    match = _FORM.fullmatch(str(value).strip().lower())
    if match is None:
        raise ValueError(f"{value!r} is no span of time: write 30, 30s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]
