"""JSON as the contract reads it (§1 "Text and numbers"), and the compact form that is measured."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

MAX_NESTING = 100
MAX_DIGITS = 300

# Only an escape can bring such text in: raw controls are no JSON, raw surrogates no UTF-8.
_MAY_BE_FAULTY = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_FAULTY = re.compile("[\0\ud800-\udfff]")


class InvalidJson(ValueError):
    """The body is not JSON, or goes beyond the bounds on numbers and nesting."""


class FaultyText(ValueError):
    """A string holds U+0000 or an unpaired surrogate."""


def parse(raw: bytes) -> Any:
    """Read a request body; nothing at all reads as `{}`. Of duplicate keys the last one wins.

    Raises InvalidJson: not JSON in UTF-8, `NaN`, `Infinity`, a number beyond double range or of
    over 300 digits, or nesting over 100 levels.
    """
    if not raw or raw.isspace():
        return {}
    try:
        document = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as error:
        raise InvalidJson("the body is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise InvalidJson(f"nested deeper than {MAX_NESTING} levels") from error
    if raw.count(b"{") + raw.count(b"[") > MAX_NESTING and _is_too_deep(document):
        raise InvalidJson(f"nested deeper than {MAX_NESTING} levels")
    return document


def may_hold_faulty_text(raw: bytes) -> bool:
    """Say whether a parsed `raw` is worth a walk with `faulty_paths`; false is certain."""
    return _MAY_BE_FAULTY.search(raw) is not None


def faulty_paths(document: Any, free: frozenset[str] = frozenset()) -> Iterator[str]:
    """Name the places with U+0000 or an unpaired surrogate, leaving out the top keys in `free`."""
    if isinstance(document, dict):
        document = {key: value for key, value in document.items() if key not in free}
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        path, value = pending.pop()
        match value:
            case str():
                if _FAULTY.search(value):
                    yield path
            case dict():
                if any(_FAULTY.search(key) for key in value):
                    yield path
                pending += [(f"{path}.{key}", item) for key, item in value.items()]
            case list():
                pending += [(f"{path}.{index}", item) for index, item in enumerate(value)]
            case _:
                continue


def compact(value: Any) -> bytes:
    """Dump a parsed value without blanks, non-ASCII unescaped, in UTF-8 (§1 "Size").

    Raises FaultyText.
    """
    text = _ENCODER.encode(value)
    # `\\u0000` in the dump may also be a backslash and a word; the walk tells.
    if "\\u0000" in text and next(faulty_paths(value), None) is not None:
        raise FaultyText("text must not contain U+0000")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise FaultyText("text must not contain unpaired surrogates") from error


def _is_too_deep(document: Any) -> bool:
    level: list[Any] = [document]
    for _ in range(MAX_NESTING):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def _inside(item: Any) -> Iterator[Any]:
    if isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise InvalidJson(f"a number has over {MAX_DIGITS} digits")
    return int(text)


def _real(text: str) -> float:
    number = float(text)
    if len(text) > MAX_DIGITS or math.isinf(number):
        raise InvalidJson("a number is beyond double range")
    return number


def _constant(text: str) -> Any:
    raise InvalidJson(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_real, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
