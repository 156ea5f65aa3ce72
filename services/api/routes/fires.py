"""Firing a cue by hand (contract §2 nr 6)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from libs.events.answers import ExecutionAnswer
from libs.events.cues import (
    FireCue,
)
from libs.events.envelope import Idempotency
from libs.runtime.ids import new_uuid
from services.api.routes.call import Call
from services.api.routes.cue_models import FireCueBody
from services.api.routes.finding import after_finding, cue_id_of, cue_of
from services.api.routes.intake import fingerprint
from services.api.routes.made_wire import FireWire, made_fields
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import NoQuery
from services.api.routes.storing import stored_payload
from services.api.rules.json_text import parse
from services.api.rules.payloads import Payload, merged
from services.api.tables import blobs

fires = Operations("Cues")


@fires.add(
    "POST",
    "/v1/cues/{cue_id}/fire",
    body=FireCueBody,
    query=NoQuery,
    answers={200: FireWire},
    codes=("cue_not_found", "invalid_payload", "execution_limit_exceeded"),
    too_large="invalid_payload_size",
)
async def fire_cue(call: Call[FireCueBody, NoQuery]) -> Response:
    """Make one execution now, or at `send_at`, with the cue's payload or another one."""
    cue_id, store = cue_id_of(call), call.ports.store
    payload = await _payload(call)
    blob = payload.blob if payload else None
    await blobs.store(store, call.account_id, [blob])
    command = FireCue(
        account_id=call.account_id,
        cue_id=cue_id,
        execution_id=new_uuid(),
        payload=payload.reference if payload else None,
        send_at=call.body.send_at,
    )
    made, _ = await call.ask(command, ExecutionAnswer, once=_once(call, cue_id))
    if blob is not None and blob.sha256 == made.payload.sha256:
        return answer(FireWire(**made_fields(made, {blob.sha256: blob.body})))
    found = await blobs.fetch(store, call.account_id, [made.payload.sha256])
    return answer(FireWire(**made_fields(made, found)))


async def _payload(call: Call[FireCueBody, NoQuery]) -> Payload | None:
    """The payload of this fire, when it is not simply the cue's. Raises ApiError."""
    override = call.body.payload_override
    if override is None:
        return None
    if call.body.merge_strategy == "merge":
        override = merged(await _cue_payload(call), override)
    async with after_finding(lambda: cue_of(call)):
        return stored_payload(override)


async def _cue_payload(call: Call[FireCueBody, NoQuery]) -> dict[str, Any]:
    reference = (await cue_of(call)).cue.facts.settings.payload
    found = await blobs.fetch(call.ports.store, call.account_id, [reference.sha256])
    return dict(parse(found.get(reference.sha256 or "", b"")))


def _once(call: Call[FireCueBody, NoQuery], cue_id: str) -> Idempotency | None:
    # The key in the body is the user's; clients send a new header with every call of theirs.
    key = call.body.idempotency_key
    if key is None:
        return None
    return Idempotency(key=f"fire {cue_id} {key}", request_hash=fingerprint(call.document))
