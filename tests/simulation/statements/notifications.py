"""The statements of the notifications, and of alert webhooks' secrets, in Python."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from services.alerts.tables import notifications, secrets
from tests.simulation.statements.rows import until
from tests.simulation.store import StoreUnit, Twin

TABLE = "notifications"
_COLUMNS = ("subject", "channel", "kind", "account_id", "cue_id", "execution_id", "alert_id")


def _row(unit: StoreUnit, **fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys((*_COLUMNS, "mailed_at", "digest", "error", "ended_at"))
    fresh = {"status": "waiting", "tries": 0, "due_at": unit.now, "created_at": unit.now}
    return {**empty, **fresh, **fields}


def _change(unit: StoreUnit, key: tuple[str, str], **fields: Any) -> None:
    unit.table(TABLE).put(key, {**unit.table(TABLE).get(key), **fields})


def _rows(unit: StoreUnit, **fields: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    for key, row in unit.table(TABLE).items():
        if all(row[name] == value for name, value in fields.items()):
            yield key, row


async def add(unit: StoreUnit, params: Any) -> list[Any]:
    for fields in json.loads(params[0]):
        key = (fields["subject"], fields["channel"])
        await unit.acquire((TABLE, str(key)))
        if unit.table(TABLE).get(key) is None:
            kept = {name: fields.get(name) for name in (*_COLUMNS, "content")}
            unit.table(TABLE).put(key, _row(unit, **kept))
    return []


def _due(unit: StoreUnit, busy: Any, without: Any) -> list[tuple[Any, dict[str, Any]]]:
    keys = [key for key in unit.store.dues[TABLE] if " ".join(key) not in without]
    rows = [(key, unit.table(TABLE).get(key)) for key in keys]
    return [(key, row) for key, row in rows if row["account_id"] not in busy]


async def due(unit: StoreUnit, params: Any) -> list[Any]:
    busy, without, limit = params
    rows = [(key, row) for key, row in _due(unit, busy, without) if row["due_at"] <= unit.now]
    taken: list[Any] = []
    for key, row in sorted(rows, key=lambda pair: (pair[1]["due_at"], pair[0])):
        if len(taken) < limit and await unit.seize((TABLE, str(key))):
            columns = (*_COLUMNS, "content", "tries", "mailed_at")
            taken.append(tuple(row[name] for name in columns))
    return taken


async def next_in(unit: StoreUnit, params: Any) -> list[Any]:
    return [{"next_in": until(unit, [row["due_at"] for _, row in _due(unit, *params)])}]


async def begin(unit: StoreUnit, params: Any) -> list[Any]:
    for item in json.loads(params["keys"]):
        key = (item["subject"], item["channel"])
        row = unit.table(TABLE).get(key)
        mailed_at = (row["mailed_at"] or unit.now) if item["mail"] else None
        later = unit.now + params["lease"]
        _change(unit, key, tries=row["tries"] + 1, due_at=later, mailed_at=mailed_at)
    return []


async def lock_mail(unit: StoreUnit, params: Any) -> list[Any]:
    for account in sorted(params[0]):
        await unit.acquire(("advisory 17", account))
    return []


async def mailed(unit: StoreUnit, params: Any) -> list[Any]:
    hour_ago = unit.now - timedelta(hours=1)
    counts = Counter(
        row["account_id"]
        for _, row in unit.table(TABLE).items()
        if row["mailed_at"] is not None
        and row["mailed_at"] > hour_ago
        and row["account_id"] in params[0]
    )
    return list(counts.items())


async def hold(unit: StoreUnit, params: Any) -> list[Any]:
    for subject in params[0]:
        if unit.table(TABLE).get((subject, "email")):
            _change(unit, (subject, "email"), status="held", due_at=None)
    return []


async def add_digests(unit: StoreUnit, params: Any) -> list[Any]:
    for item in json.loads(params["digests"]):
        account, subject = item["account_id"], item["subject"]
        await unit.acquire(("one digest", account))
        held = any(_rows(unit, account_id=account, status="held", digest=None))
        planned = any(_rows(unit, account_id=account, kind="digest", status="waiting"))
        if held and not planned:
            fields = {"subject": subject, "channel": "email", "kind": "digest", "content": {}}
            later = unit.now + params["after"]
            row = _row(unit, **fields, account_id=account, due_at=later)
            unit.table(TABLE).put((subject, "email"), row)
    return []


async def take_held(unit: StoreUnit, params: Any) -> list[Any]:
    digest = params["digest"]
    rows = [
        (row["created_at"], row["subject"], key)
        for key, row in _rows(unit, account_id=params["account"], status="held")
        if row["digest"] in (None, digest)
    ]
    found = []
    for created_at, _, key in sorted(rows)[: notifications.HELD_AT_ONCE]:
        _change(unit, key, digest=digest)
        found.append((created_at, unit.table(TABLE).get(key)["content"]))
    return found


async def drop(unit: StoreUnit, params: Any) -> list[Any]:
    for item in json.loads(params[0]):
        key = (item["subject"], item["channel"])
        _change(unit, key, status="dropped", due_at=None, ended_at=unit.now)
    return []


async def end(unit: StoreUnit, params: Any) -> list[Any]:
    key = (params["subject"], params["channel"])
    await unit.acquire((TABLE, str(key)))
    row = unit.table(TABLE).get(key)
    if row["status"] != "waiting" or row["tries"] != params["tries"]:
        return []
    ended_at = unit.now if params["status"] != "waiting" else None
    told = {name: params[name] for name in ("status", "due_at", "error")}
    _change(unit, key, **told, ended_at=ended_at)
    return [()]


async def end_held(unit: StoreUnit, params: Any) -> list[Any]:
    found = list(_rows(unit, account_id=params["account"], status="held", digest=params["digest"]))
    for key, _ in found:
        _change(unit, key, status=params["status"], error=params["error"], ended_at=unit.now)
    return [(row["alert_id"],) for _, row in found]


async def add_secret(unit: StoreUnit, params: Any) -> list[Any]:
    account, sealed = params
    if unit.table("alert_webhook_secrets").get(account) is None:
        unit.table("alert_webhook_secrets").put(account, sealed)
    return []


async def read_secrets(unit: StoreUnit, params: Any) -> list[Any]:
    known = unit.table("alert_webhook_secrets")
    return [(key, sealed) for key in params[0] if (sealed := known.get(key)) is not None]


TWINS: Mapping[str, Twin] = {
    notifications._ADD: add,
    notifications._DUE: due,
    notifications._NEXT_IN: next_in,
    notifications._BEGIN: begin,
    notifications._LOCK_MAIL: lock_mail,
    notifications._MAILED: mailed,
    notifications._HOLD: hold,
    notifications._ADD_DIGESTS: add_digests,
    notifications._TAKE_HELD: take_held,
    notifications._DROP: drop,
    notifications._END: end,
    notifications._END_HELD: end_held,
    secrets._ADD: add_secret,
    secrets._READ: read_secrets,
}
