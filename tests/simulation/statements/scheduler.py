"""The scheduler's statements in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libs.events.cues import (
    ActiveCue,
    CuePaused,
    CueResumed,
    status,
)
from libs.events.execution_rows import (
    status as execution_status,
)
from services.scheduler import queries
from tests.simulation.statements.rows import next_in, none, oldest_due
from tests.simulation.store import StoreUnit, Twin


async def due(unit: StoreUnit, params: Any) -> list[Any]:
    taken: list[Any] = []
    crowding, without = set(params["crowding"]), set(params["without"])
    for key in oldest_due(unit, "cue", "next_run"):
        if key in without or unit.store.state("cue", key).facts.account_id in crowding:
            continue
        if len(taken) == params["limit"]:
            break
        if held := await unit.take("cue", key):
            taken.append((key, held.version, unit.store.text("cue", key)))
    return taken


async def lock_accounts(unit: StoreUnit, params: Any) -> list[Any]:
    for account in sorted(params[0]):
        await unit.acquire(("advisory 11", account))
    return []


async def taken_names(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for account, name in zip(params["accounts"], params["names"], strict=True):
        if owner := unit.store.unique.get(("name", account, name)):
            found.append((account, name, owner[1]))
    return found


async def active_cues(unit: StoreUnit, params: Any) -> list[Any]:
    return [(account, count) for account in params[0] if (count := _active(unit, account))]


def _active(unit: StoreUnit, account: str) -> int:
    keys = unit.store.members.get(("cue", account), ())
    return sum(status(unit.store.state("cue", key)) == "active" for key in keys)


async def plans(unit: StoreUnit, params: Any) -> list[Any]:
    return [(key, unit.store.state("account", key).plan, None) for key in params[0]]


async def usage(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    month = unit.now.date().replace(day=1)
    for account in sorted(params[0]):
        await unit.acquire(("usage", f"{account} {month}"))
        used = unit.store.usage.get((account, month))
        plan = unit.store.state("account", account).plan
        made, grace = (used.executions, used.grace_started_at) if used else (0, None)
        found.append((account, made, grace, plan, None))
    return found


async def pausable(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for key in params[0]:
        cue_id = unit.store.state("execution", key).facts.cue_id
        cue = unit.store.state("cue", cue_id)
        if status(cue) == "active" and cue.facts.settings.on_failure.pause:
            found.append({"id": cue_id, "state": unit.store.text("execution", key)})
    return found


async def moves(unit: StoreUnit, params: Any) -> list[Any]:
    return [
        (stream, item.event.at, item.meta.correlation_id)
        for stream in params[0]
        for item in unit.store.histories.get(stream, ())
        if isinstance(item.event, CuePaused | CueResumed)
    ]


async def ended(unit: StoreUnit, params: Any) -> list[Any]:
    hinted, terminal = set(params["hinted"]), set(params["terminal"])
    return [
        {"id": key, "state": unit.store.text("execution", settling)}
        for key, settling in settlings(unit, unit.store.cues())
        if (isinstance(unit.store.state("cue", key), ActiveCue) or settling in hinted)
        and execution_status(unit.store.state("execution", settling)) in terminal
    ]


def settlings(unit: StoreUnit, cues: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the cues that wait for the end of their one execution, with it."""
    for key in cues:
        if settling := unit.store.state("cue", key).facts.scheduled_id:
            yield key, settling


TWINS: Mapping[str, Twin] = {
    queries._DUE: due,
    queries._NEXT_IN: next_in("cue", "next_run"),
    queries._NOTE_LOOK: none,
    queries._LOCK_ACCOUNTS: lock_accounts,
    queries._TAKEN_NAMES: taken_names,
    queries._ACTIVE_CUES: active_cues,
    queries._PLANS: plans,
    queries._USAGE: usage,
    queries._PAUSABLE: pausable,
    queries._MOVES: moves,
    queries._ENDED: ended,
}
