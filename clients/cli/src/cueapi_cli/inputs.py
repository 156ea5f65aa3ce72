"""Values on the command line: JSON from the line, a file or standard input; times in words."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cueapi_cli.failures import USAGE, Failure

_AGO = re.compile(r"(\d+)(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def text_of(value: str) -> str:
    """Give a text: as it is, the file behind `@`, or standard input for `-`. Raises Failure."""
    if value == "-":
        return sys.stdin.read()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"{value[1:]} cannot be read: {error.strerror}", code=USAGE) from error


def json_of(option: str, value: str | None) -> Any:
    """Read the JSON of an option; None when it was not given. Raises Failure."""
    if value is None:
        return None
    try:
        return json.loads(text_of(value), parse_constant=_no_number)
    except ValueError as error:
        hint = 'Write it as \'{"task": "x"}\', @file.json, or - for standard input.'
        raise Failure(f"{option} is not JSON: {error}", hint, USAGE) from error


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is not a number in JSON")


def object_of(option: str, value: str | None) -> dict[str, Any] | None:
    """Read the JSON object of an option. Raises Failure."""
    document = json_of(option, value)
    if document is not None and not isinstance(document, dict):
        raise Failure(f'{option} must be a JSON object, such as \'{{"task": "x"}}\'', code=USAGE)
    return document


def instant_of(option: str, value: str | None, now: datetime | None = None) -> str | None:
    """Read a time: RFC 3339, `now`, or `10m` (ago; `+10m` ahead). Raises Failure."""
    if value is None:
        return None
    now = now or datetime.now(timezone.utc)
    ahead, word = value.startswith("+"), value.removeprefix("+")
    if word == "now":
        return now.isoformat()
    if form := _AGO.fullmatch(word):
        distance = timedelta(**{_UNITS[form[2]]: int(form[1])})
        return (now + distance if ahead else now - distance).isoformat()
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError as error:
        hint = "Write 2026-03-28T09:00:00Z, now, 10m (ago) or +10m (ahead)."
        raise Failure(f"{option}: {value} is not a time", hint, USAGE) from error
    return (moment if moment.tzinfo else moment.astimezone()).isoformat()
