"""The statements of the watched cues in Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.alerts.tables import watches
from tests.simulation.statements.rows import instant, until
from tests.simulation.store import StoreUnit, Twin

TABLE = "cue_watches"
DELETE = "delete from cue_watches where cue_id = any(%s::text[])"


def _columns(row: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("cue_id", "account_id", "cron", "timezone", "since", "succeeded_at", "due_at")
    return tuple(row[name] for name in names)


async def of_cues(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for key in sorted(params[0]):
        if unit.table(TABLE).get(key):
            await unit.acquire((TABLE, key))
            found.append(_columns(unit.table(TABLE).get(key)))
    return found


def _waiting(unit: StoreUnit, without: Any) -> dict[Any, datetime]:
    return {key: at for key, at in unit.store.dues[TABLE].items() if key not in without}


async def due(unit: StoreUnit, params: Any) -> list[Any]:
    without, limit = params
    keys = [key for key, at in _waiting(unit, without).items() if at <= unit.now]
    rows = [unit.table(TABLE).get(key) for key in keys]
    taken: list[Any] = []
    for row in sorted(rows, key=lambda row: (row["due_at"], row["cue_id"])):
        if len(taken) < limit and await unit.seize((TABLE, row["cue_id"])):
            taken.append(_columns(row))
    return taken


async def next_in(unit: StoreUnit, params: Any) -> list[Any]:
    return [{"next_in": until(unit, _waiting(unit, params[0]).values())}]


async def put(unit: StoreUnit, params: Any) -> list[Any]:
    for row in json.loads(params[0]):
        times = {name: instant(row.get(name)) for name in ("since", "succeeded_at", "due_at")}
        await unit.acquire((TABLE, row["cue_id"]))
        unit.table(TABLE).put(row["cue_id"], {**row, **times})
    return []


async def delete(unit: StoreUnit, params: Any) -> list[Any]:
    for key in params[0]:
        if unit.table(TABLE).get(key):
            await unit.acquire((TABLE, key))
            unit.table(TABLE).put(key, None)
    return []


async def look_again(unit: StoreUnit, params: Any) -> list[Any]:
    for key in sorted(params[0]):
        if unit.table(TABLE).get(key):
            await unit.acquire((TABLE, key))
            # Whoever held the lock may have deleted it.
            if row := unit.table(TABLE).get(key):
                unit.table(TABLE).put(key, {**row, "due_at": unit.now})
    return []


async def look_after_acknowledging(unit: StoreUnit, params: Any) -> list[Any]:
    alerts = [unit.store.state("alert", key) for key in params[0]]
    missed = {a.facts.cue_id for a in alerts if a and a.facts.kind == "missed_window"}
    return await look_again(unit, [missed])


TWINS: Mapping[str, Twin] = {
    watches._OF_CUES: of_cues,
    watches._DUE: due,
    watches._NEXT_IN: next_in,
    watches._PUT: put,
    DELETE: delete,
    watches._LOOK_AGAIN: look_again,
    watches._LOOK_AFTER_ACKNOWLEDGING: look_after_acknowledging,
}
