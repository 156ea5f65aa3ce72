"""The dispatcher's statements in Python, and those of the blobs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from libs.events import blobs
from services.dispatcher import queries
from tests.simulation.statements.rows import living, next_in, oldest_due
from tests.simulation.store import StoreUnit, Twin


async def due(unit: StoreUnit, params: Any) -> list[Any]:
    taken: list[Any] = []
    saturated, held_cues = set(params["saturated"]), set(params["held"])
    for key in oldest_due(unit, "execution", "delivery_due_at"):
        facts = unit.store.state("execution", key).facts
        if key in params["without"] or facts.account_id in saturated or facts.cue_id in held_cues:
            continue
        if len(taken) == params["limit"]:
            break
        if held := await unit.take("execution", key):
            cue = _cue(unit, facts.cue_id)
            taken.append((key, held.version, unit.store.text("execution", key), *cue))
    return taken


def _cue(unit: StoreUnit, cue_id: str) -> tuple[str, int | None, str | None]:
    if living(unit, cue_id) is None:
        return cue_id, None, None
    return cue_id, unit.store.streams["cue", cue_id].version, unit.store.text("cue", cue_id)


async def settings(unit: StoreUnit, params: Any) -> list[Any]:
    return [_cue(unit, cue_id) for cue_id in params[0] if living(unit, cue_id)]


async def secrets(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    identities = unit.table("identities")
    for account in params[0]:
        row = identities.get(account)
        expires = row["previous_expires_at"]
        both = expires is not None and expires > unit.now
        found.append((account, row["sealed"], row["previous_sealed"] if both else None))
    return found


async def heartbeats(unit: StoreUnit, params: Any) -> list[Any]:
    workers = unit.table("workers")
    wanted = zip(params[0], params[1], strict=True)
    return [(*key, row["last_heartbeat_at"]) for key in wanted if (row := workers.get(key))]


async def claimable(unit: StoreUnit, params: Any) -> list[Any]:
    found = []
    for group in json.loads(params[0]):
        wanted = group["wanted"]
        for key in _claimable_in_order(unit, group):
            if wanted and (held := await unit.take("execution", key)):
                text = unit.store.text("execution", key)
                cue = _cue(unit, unit.store.state("execution", key).facts.cue_id)
                found.append((group["number"], key, held.version, text, *cue))
                wanted -= 1
    return found


def _claimable_in_order(unit: StoreUnit, group: Mapping[str, Any]) -> list[str]:
    found = []
    for key, at in unit.store.searched["execution", "claimable_at"].items():
        facts = unit.store.state("execution", key).facts
        fits = at <= unit.now and facts.account_id == group["account_id"]
        fits = fits and group["task"] in (None, facts.payload.task)
        fits = fits and (group["tasks"] is None or facts.payload.task in group["tasks"])
        fits = fits and group["agent"] in (None, facts.payload.agent)
        if fits and living(unit, facts.cue_id):
            found.append((facts.scheduled_for, key))
    return [key for _, key in sorted(found)]


async def beat(unit: StoreUnit, params: Any) -> list[Any]:
    workers = unit.table("workers")
    for row in json.loads(params[0]):
        key = (row["account_id"], row["worker_id"])
        known = workers.get(key) or {"registered_at": unit.now, "handlers": None}
        handlers = row["handlers"] if row["handlers"] is not None else known["handlers"]
        workers.put(key, {**known, "last_heartbeat_at": unit.now, "handlers": handlers})
    return []


async def forget(unit: StoreUnit, params: Any) -> list[Any]:
    workers = unit.table("workers")
    gone = [key for key in zip(params[0], params[1], strict=True) if workers.get(key)]
    for key in gone:
        workers.put(key, None)
    return gone


async def get_blobs(unit: StoreUnit, params: Any) -> list[Any]:
    bodies = unit.table("blobs")
    wanted = zip(params[0], params[1], strict=True)
    return [(*key, body) for key in wanted if (body := bodies.get(key)) is not None]


async def put_blobs(unit: StoreUnit, params: Any) -> list[Any]:
    for row in json.loads(params[0]):
        unit.table("blobs").put((row["account_id"], row["sha256"]), base64.b64decode(row["body"]))
    return []


TWINS: Mapping[str, Twin] = {
    queries._DUE: due,
    queries._NEXT_IN: next_in("execution", "delivery_due_at"),
    queries._SETTINGS: settings,
    queries._SECRETS: secrets,
    queries._HEARTBEATS: heartbeats,
    queries._CLAIMABLE: claimable,
    queries._BEAT: beat,
    queries._FORGET: forget,
    blobs._GET: get_blobs,
    blobs._PUT: put_blobs,
}
