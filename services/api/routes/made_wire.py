"""How an execution that was just made is answered: by a fire (nr 6), by a replay (nr 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from libs.events.answers import ExecutionAnswer
from services.api.routes.wire import EMPTY_OBJECT, AnyObject, Timestamp, Wire
from services.api.rules.timestamps import wire_time


class FireWire(Wire):
    """An execution made by a fire; `id` and `execution_id` are the same."""

    id: str
    execution_id: str
    cue_id: str
    scheduled_for: Timestamp
    status: str
    triggered_by: str
    payload: AnyObject


class ReplayWire(FireWire):
    """An execution made from an ended one."""

    replayed_from: str


def made_fields(made: ExecutionAnswer, blobs: Mapping[str, bytes]) -> dict[str, Any]:
    """What `FireWire` is made of."""
    payload = blobs.get(made.payload.sha256 or "")
    return {
        "id": made.execution_id,
        "execution_id": made.execution_id,
        "cue_id": made.cue_id,
        "scheduled_for": wire_time(made.scheduled_for),
        "status": "pending",
        "triggered_by": made.triggered_by,
        "payload": msgspec.Raw(payload) if payload else EMPTY_OBJECT,
    }
