"""`{{ payload.a.b }}` in commands and environment variables.

In a shell line a value never becomes text of the line: the line refers to a variable that holds
it, so whatever a payload contains, the shell does not run it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_PLACE: Final = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")
_VARIABLE: Final = "CUEAPI_VALUE_{}"


@dataclass(frozen=True)
class ShellLine:
    """A line for the shell, and the variables that it refers to."""

    line: str
    variables: Mapping[str, str]


def filled(template: str, payload: Mapping[str, Any]) -> str:
    """Put the values in as they are: for environment variables, and words without a shell."""
    return _PLACE.sub(lambda match: value_at(match[1], payload), template)


def shell_line(template: str, payload: Mapping[str, Any]) -> ShellLine:
    """Refer to the values from a shell line; each is one word, wherever it stands."""
    variables: dict[str, str] = {}
    parts: list[str] = []
    quote, end = "", 0
    for match in _PLACE.finditer(template):
        before = template[end : match.start()]
        quote, end = _quote_after(before, quote), match.end()
        name = _VARIABLE.format(len(variables) + 1)
        variables[name] = value_at(match[1], payload)
        parts += [before, _reference(name, quote)]
    return ShellLine("".join([*parts, template[end:]]), variables)


def value_at(path: str, payload: Mapping[str, Any]) -> str:
    """Give the value at a dotted path, `payload.` first or left out; empty where there is none.

    What is no text is given as JSON.
    """
    value: Any = payload
    for name in path.removeprefix("payload.").split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = None
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _reference(name: str, quote: str) -> str:
    match quote:
        case '"':
            return f"${{{name}}}"
        case "'":
            return f"'\"${{{name}}}\"'"
        case _:
            return f'"${{{name}}}"'


def _quote_after(text: str, quote: str) -> str:
    # Good enough for lines that people write; if it errs, a value is split or left out, never run.
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return quote
