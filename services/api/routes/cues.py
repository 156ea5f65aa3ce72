"""Cues: create, list, get, change, delete (contract §2 nr 1-5)."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins
from starlette.responses import Response

from libs.events.answers import CueAnswer
from libs.events.base import Transport
from libs.events.blobs import Blob
from libs.events.cues import (
    CreateCue,
    DeleteCue,
    UpdateCue,
)
from libs.runtime.ids import new_cue_id
from services.api.errors import ApiError
from services.api.queries.cues import CueRow, cue_at_version, find_cue, has_active_worker, list_cues
from services.api.queries.executions import list_executions
from services.api.queries.pages import Filters, Page
from services.api.routes import execution_wire
from services.api.routes.call import Call
from services.api.routes.cue_models import (
    CreateCueBody,
    CueQuery,
    ListCuesQuery,
    UpdateCueBody,
)
from services.api.routes.cue_settings import (
    Stored,
    changes_of,
    schedule_of,
    settings_of,
    wanted,
)
from services.api.routes.cue_wire import NO_WORKERS, CueListWire, CueWire, cue_fields, refs_of
from services.api.routes.execution_wire import CueWithExecutionsWire
from services.api.routes.filters import one_of
from services.api.routes.finding import after_finding, cue_id_of, cue_of
from services.api.routes.operation import Operations, answer
from services.api.routes.outgoing import check_urls, sealed_headers
from services.api.routes.past import Past, cue_then
from services.api.routes.shapes import NoBody, NoQuery
from services.api.routes.storing import stored_payload, stored_text
from services.api.rules.versions import etag, expected_version
from services.api.tables import blobs

CUE_STATUSES = ("active", "paused", "completed", "failed")

cues = Operations("Cues")


@cues.add(
    "POST",
    "/v1/cues",
    body=CreateCueBody,
    query=NoQuery,
    answers={201: CueWire},
    codes=(
        "invalid_schedule",
        "invalid_timezone",
        "invalid_payload",
        "invalid_callback_url",
        "duplicate_cue_name",
        "cue_limit_exceeded",
    ),
    too_large="invalid_payload_size",
)
async def create_cue(call: Call[CreateCueBody, NoQuery]) -> Response:
    """Create a cue."""
    body, ports, rules = call.body, call.ports, call.ports.rules
    form = wanted(body)
    schedule = schedule_of(
        form.schedule.type, form.schedule.cron, form.schedule.at, form.schedule.timezone
    )
    headers = sealed_headers(ports.keyring, call.account_id, form.callback.headers)
    payload = stored_payload(body.payload)
    description = stored_text(body.description)
    await check_urls(
        ports,
        {"callback.url": form.callback.url, "on_failure.webhook": body.on_failure.webhook},
        "invalid_callback_url",
    )
    in_hand = [description, headers, payload.blob]
    await blobs.store(ports.store, call.account_id, in_hand)
    stored = Stored(_ref(description), _ref(headers), payload.reference)
    command = CreateCue(
        account_id=call.account_id,
        cue_id=new_cue_id(),
        settings=settings_of(body, form, schedule, stored, rules.delivery_timeout_seconds),
    )
    accepted, replayed = await call.ask(command, CueAnswer)
    row = await _answered_cue(call, accepted, replayed)
    warning = None
    if form.transport is Transport.WORKER and not await has_active_worker(
        ports.store, call.account_id, rules.worker_stale_seconds
    ):
        warning = NO_WORKERS
    return await _cue_answer(call, row, in_hand, status=201, warning=warning)


@cues.add(
    "GET",
    "/v1/cues",
    body=NoBody,
    query=ListCuesQuery,
    answers={200: CueListWire},
    codes=("invalid_filter",),
)
async def get_cues(call: Call[NoBody, ListCuesQuery]) -> Response:
    """List cues, newest first."""
    query, store = call.query, call.ports.store
    one_of("status", query.status, CUE_STATUSES)
    page = Page(query.limit, query.offset)
    total, rows = await list_cues(call.ports.pages, call.account_id, query.status, page)
    needed = [ref for row in rows for ref in refs_of(row.cue)]
    found = await blobs.fetch(store, call.account_id, needed)
    return answer(
        CueListWire(
            cues=[CueWire(**cue_fields(row, found, call.ports.keyring)) for row in rows],
            total=total,
            limit=query.limit,
            offset=query.offset,
        )
    )


@cues.add(
    "GET",
    "/v1/cues/{cue_id}",
    body=NoBody,
    query=CueQuery,
    answers={200: CueWithExecutionsWire},
    codes=("cue_not_found",),
)
async def get_cue(call: Call[NoBody, CueQuery]) -> Response:
    """Get a cue, with a page of its executions, newest first; as it is or as it was."""
    query, store = call.query, call.ports.store
    row, matches = await _now(call) if query.as_of is None else await cue_then(call, query.as_of)
    needed = refs_of(row.cue)
    for each in matches.rows:
        needed += execution_wire.refs_of(each.execution)
    heads = [execution_wire.head_of(each.execution) for each in matches.rows]
    found = await blobs.fetch(store, call.account_id, needed, heads)
    shown = CueWithExecutionsWire(
        **cue_fields(row, found, call.ports.keyring),
        executions=[execution_wire.execution_wire(each, found) for each in matches.rows],
        execution_total=matches.total,
        execution_limit=query.execution_limit,
        execution_offset=query.execution_offset,
    )
    return answer(shown, headers={"ETag": etag(row.version)})


@cues.add(
    "PATCH",
    "/v1/cues/{cue_id}",
    body=UpdateCueBody,
    query=NoQuery,
    answers={200: CueWire},
    codes=(
        "cue_not_found",
        "invalid_schedule",
        "invalid_timezone",
        "invalid_payload",
        "invalid_callback_url",
        "duplicate_cue_name",
        "cue_limit_exceeded",
        "invalid_state",
        "precondition_failed",
    ),
    too_large="invalid_payload_size",
)
async def update_cue(call: Call[UpdateCueBody, NoQuery]) -> Response:
    """Change a cue: what is absent stays, objects merge by field, `null` is the default again."""
    cue_id = cue_id_of(call)
    async with after_finding(lambda: cue_of(call)):
        changes, in_hand = await _changes(call)
    await blobs.store(call.ports.store, call.account_id, in_hand)
    command = UpdateCue(
        account_id=call.account_id,
        cue_id=cue_id,
        changes=changes,
        status=call.body.status if "status" in call.body.model_fields_set else None,
        if_version=expected_version(call.request.headers.get("if-match")),
    )
    accepted, replayed = await call.ask(command, CueAnswer)
    return await _cue_answer(call, await _answered_cue(call, accepted, replayed), in_hand)


@cues.add(
    "DELETE",
    "/v1/cues/{cue_id}",
    body=NoBody,
    query=NoQuery,
    answers={204: None},
    codes=("cue_not_found", "precondition_failed"),
)
async def delete_cue(call: Call[NoBody, NoQuery]) -> Response:
    """Delete a cue, its executions and everything of it that is pending."""
    command = DeleteCue(
        account_id=call.account_id,
        cue_id=cue_id_of(call),
        if_version=expected_version(call.request.headers.get("if-match")),
    )
    await call.ask(command, CueAnswer)
    return Response(status_code=204)


async def _now(call: Call[NoBody, CueQuery]) -> Past:
    row, query = await cue_of(call), call.query
    filters = Filters(call.account_id)
    filters.equal("cue_id", row.cue.facts.id)
    page = Page(query.execution_limit, query.execution_offset)
    return Past(row, await list_executions(call.ports.pages, filters, page))


async def _changes(call: Call[UpdateCueBody, NoQuery]) -> tuple[dict[str, Any], list[Blob | None]]:
    """Turn the body into changes, and the blobs to which they refer. Raises ApiError."""
    body, ports = call.body, call.ports
    sent = body.model_fields_set
    changes = changes_of(body, ports.rules.delivery_timeout_seconds)
    blobs_to_store: list[Blob | None] = []
    if "schedule" in sent:
        changes["schedule"] = await _changed_schedule(call)
    if "description" in sent:
        description = stored_text(body.description)
        changes["description_ref"] = _ref(description)
        blobs_to_store.append(description)
    if "payload" in sent:
        payload = stored_payload(body.payload or {})
        changes["payload"] = to_builtins(payload.reference)
        blobs_to_store.append(payload.blob)
    if "headers" in body.callback.model_fields_set:
        headers = sealed_headers(ports.keyring, call.account_id, body.callback.headers)
        changes.setdefault("callback", {})["headers_ref"] = _ref(headers)
        blobs_to_store.append(headers)
    await check_urls(
        ports,
        {
            "callback.url": changes.get("callback", {}).get("url"),
            "on_failure.webhook": changes.get("on_failure", {}).get("webhook"),
        },
        "invalid_callback_url",
    )
    return changes, blobs_to_store


async def _changed_schedule(call: Call[UpdateCueBody, NoQuery]) -> dict[str, Any]:
    asked = call.body.schedule
    names_zone = "timezone" in asked.model_fields_set
    zone_name = asked.timezone if names_zone else "UTC"
    if asked.at is not None and asked.at.tzinfo is None and not names_zone:
        zone_name = (await cue_of(call)).cue.facts.settings.schedule.timezone
    schedule = schedule_of(asked.type, asked.cron, asked.at, zone_name)
    changed = {"cron": schedule.cron, "at": to_builtins(schedule.at)}
    return {**changed, "timezone": schedule.timezone} if names_zone else changed


async def _answered_cue(call: Call[Any, Any], accepted: CueAnswer, replayed: bool) -> CueRow:
    """Read the cue that a command has made or changed; a repeated command's as it was then."""
    store, cue_id = call.ports.store, accepted.cue_id
    if replayed:
        row = await cue_at_version(store, call.account_id, cue_id, accepted.version)
    else:
        row = await find_cue(store, call.account_id, cue_id)
    if row is None:
        raise ApiError("cue_not_found", "the cue has been deleted in the meantime")
    return row


async def _cue_answer(
    call: Call[Any, Any],
    row: CueRow,
    in_hand: list[Blob | None],
    status: int = 200,
    warning: str | None = None,
) -> Response:
    known = {blob.sha256: blob.body for blob in in_hand if blob is not None}
    missing = [ref for ref in refs_of(row.cue) if ref not in known]
    known |= await blobs.fetch(call.ports.store, call.account_id, missing)
    shown = CueWire(**cue_fields(row, known, call.ports.keyring, warning))
    return answer(shown, status, {"ETag": etag(row.version)})


def _ref(blob: Blob | None) -> str | None:
    return blob.sha256 if blob is not None else None
