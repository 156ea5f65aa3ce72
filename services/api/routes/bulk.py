"""Many cues deleted in one request (contract §3)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from libs.events.answers import CueAnswer
from libs.events.bus import Refused
from libs.events.cues import (
    DeleteCue,
)
from libs.events.envelope import Idempotency
from services.api.routes.call import Call
from services.api.routes.deciding import once
from services.api.routes.guards import confirmed
from services.api.routes.operation import Operations
from services.api.routes.shapes import NoQuery, Wish
from services.api.routes.wire import Wire
from services.api.rules.ids import is_cue_id

bulk = Operations("Cues")


class BulkDeleteBody(Wish):
    """Which cues to delete."""

    ids: Annotated[list[str], Field(min_length=1, max_length=100)]


class BulkDeletedWire(Wire):
    """Which cues are gone, and which were none of this account's; in the order asked."""

    deleted: list[str]
    skipped: list[str]


@bulk.add(
    "POST",
    "/v1/cues/bulk-delete",
    body=BulkDeleteBody,
    query=NoQuery,
    answers={200: BulkDeletedWire},
    codes=("confirmation_required",),
)
async def delete_cues(call: Call[BulkDeleteBody, NoQuery]) -> Response:
    """Delete cues, each as by itself; ids of no cue are skipped."""
    confirmed(call, must=True)
    return await once(call, lambda: _delete_all(call, list(dict.fromkeys(call.body.ids))))


async def _delete_all(call: Call[Any, Any], ids: list[str]) -> BulkDeletedWire:
    gone = await asyncio.gather(*(_delete(call, cue_id) for cue_id in ids))
    verdicts = list(zip(ids, gone, strict=True))
    return BulkDeletedWire(
        deleted=[cue_id for cue_id, is_gone in verdicts if is_gone],
        skipped=[cue_id for cue_id, is_gone in verdicts if not is_gone],
    )


async def _delete(call: Call[Any, Any], cue_id: str) -> bool:
    if not is_cue_id(cue_id):
        return False
    command = DeleteCue(account_id=call.account_id, cue_id=cue_id)
    try:
        await call.ask(command, CueAnswer, once=_once(call, cue_id))
    except Refused as refused:
        if refused.rejection.code != "cue_not_found":
            raise
        return False
    return True


def _once(call: Call[Any, Any], cue_id: str) -> Idempotency | None:
    # One key for many commands: each has its own part of it.
    whole = call.idempotency()
    if whole is None:
        return None
    return Idempotency(key=f"{whole.key} {cue_id}", request_hash=whole.request_hash)
