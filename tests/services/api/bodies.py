"""Bodies that are right, to be made wrong in one place."""

from __future__ import annotations

from typing import Any

CRON = {"type": "recurring", "cron": "0 9 * * *"}
ONCE = {"type": "once", "at": "2027-01-01T00:00:00Z"}
CALLBACK = {"url": "https://your-agent.com/webhook"}
CUE: dict[str, Any] = {"name": "morning-briefing", "schedule": CRON, "callback": CALLBACK}

ABSENT = object()
"""Stands for a field that is left out."""


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `body` with the value at a dotted path replaced, or left out."""
    head, _, rest = path.partition(".")
    copy = dict(body)
    if rest:
        copy[head] = changed(copy.get(head, {}), rest, value)
    elif value is ABSENT:
        copy.pop(head, None)
    else:
        copy[head] = value
    return copy


def nested(levels: int) -> Any:
    """A list in a list in a list."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


WORKER_CUE: dict[str, Any] = {
    "name": "nightly",
    "schedule": CRON,
    "transport": "worker",
    "payload": {"task": "sync", "n": 1},
}
