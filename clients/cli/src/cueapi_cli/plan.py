"""What lies between the cues of a file and those of an account; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

Cue: TypeAlias = Mapping[str, Any]

FIELDS = (
    "description",
    "schedule",
    "transport",
    "callback",
    "payload",
    "retry",
    "delivery",
    "alerts",
    "catch_up",
    "verification",
    "on_failure",
    "status",
)
WHOLE = frozenset({"payload"})
"""Objects that are replaced, where others are merged by field."""

MASK = "***"


@dataclass(frozen=True)
class Create:
    """A cue that is in the file alone."""

    name: str
    cue: Cue


@dataclass(frozen=True)
class Change:
    """A cue that differs: `fields` as they shall be, and as they are."""

    name: str
    cue_id: str
    fields: Mapping[str, Any]
    before: Mapping[str, Any]


@dataclass(frozen=True)
class Delete:
    """A cue that is in the account alone."""

    name: str
    cue_id: str


Step: TypeAlias = Create | Change | Delete


def plan(wanted: Sequence[Cue], present: Sequence[Cue], *, prune: bool) -> list[Step]:
    """Give the steps that make the present cues the wanted ones, matched by name.

    What the file does not say is left as it is. Cues that it does not name go only with `prune`.
    """
    by_name = {cue["name"]: cue for cue in present}
    steps: list[Step] = []
    for cue in wanted:
        here = by_name.pop(cue["name"], None)
        if here is None:
            steps.append(Create(cue["name"], cue))
        elif fields := dict(_differing(cue, here)):
            before = {name: here.get(name) for name in fields}
            steps.append(Change(cue["name"], here["id"], fields, before))
    if prune:
        steps += [Delete(cue["name"], cue["id"]) for cue in by_name.values()]
    return steps


def lines_of(step: Step) -> Iterator[str]:
    """Tell a step as a diff does."""
    match step:
        case Create(name=name, cue=cue):
            yield f"+ {name}"
            yield from (f"    + {f}: {_short(cue[f])}" for f in FIELDS if f in cue)
        case Change(name=name, fields=fields, before=before):
            yield f"~ {name}"
            for field, value in fields.items():
                yield f"    - {field}: {_short(_as_far_as(before[field], value))}"
                yield f"    + {field}: {_short(value)}"
        case Delete(name=name):
            yield f"- {name}"


def exported(cue: Cue, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Write a cue as a file has it: what differs from the defaults."""
    told: dict[str, Any] = {"name": cue["name"]}
    for field in FIELDS:
        value = _without(cue.get(field), defaults.get(field))
        if value not in (None, {}, defaults.get(field)):
            told[field] = value
    return told


DEFAULTS: Mapping[str, Any] = {
    "schedule": {"type": None, "cron": None, "at": None, "timezone": "UTC"},
    "transport": "webhook",
    "callback": {"url": None, "method": "POST", "headers": {}},
    "payload": {},
    "retry": {"max_attempts": 3, "backoff_minutes": [1, 5, 15]},
    "delivery": {"timeout_seconds": 30, "outcome_deadline_seconds": 300},
    "alerts": {"consecutive_failures": 3, "missed_window_multiplier": 2},
    "catch_up": "run_once_if_missed",
    "verification": {"mode": "none"},
    "on_failure": {"email": True, "webhook": None, "pause": False},
    "status": "active",
}


def _differing(wanted: Cue, here: Cue) -> Iterator[tuple[str, Any]]:
    for field in FIELDS:
        if field in wanted and not _holds(wanted[field], here.get(field), field in WHOLE):
            yield field, wanted[field]


def _holds(wanted: Any, here: Any, whole: bool) -> bool:
    if isinstance(wanted, Mapping) and isinstance(here, Mapping) and not whole:
        return all(
            _same_instant(value, here.get(name))
            if name == "at"
            else _holds(value, here.get(name), whole=False)
            for name, value in wanted.items()
        )
    return bool(wanted == here or here == MASK)


def _same_instant(wanted: Any, here: Any) -> bool:
    """Without an offset the file means the cue's own zone, which is the one of `here`."""
    if not isinstance(wanted, str) or not isinstance(here, str):
        return bool(wanted == here)
    try:
        mine, theirs = map(_instant, (wanted, here))
    except ValueError:
        return wanted == here
    return mine == (theirs if mine.tzinfo else theirs.replace(tzinfo=None))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _as_far_as(before: Any, value: Any) -> Any:
    if isinstance(before, Mapping) and isinstance(value, Mapping):
        return {name: before.get(name) for name in value}
    return before


def _without(value: Any, default: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(default, Mapping) and default:
        return {name: v for name, v in value.items() if v != default.get(name)}
    return value


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
