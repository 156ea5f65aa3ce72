"""An execution's attempts, out of the log (contract §16, deliveries)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
)
from libs.events.executions import SentHeaders
from libs.runtime.http.headers import MASKED
from services.api.queries.cues import find_cue
from services.api.queries.executions import ExecutionRow
from services.api.queries.timeline import execution_events
from services.api.routes.call import Call
from services.api.routes.finding import execution_of
from services.api.routes.operation import Operations, answer
from services.api.routes.outgoing import opened_headers
from services.api.routes.shapes import NoBody, NoQuery
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time, wire_time_or_none
from services.api.tables import blobs

FIXED = {"Content-Type": "application/json", "User-Agent": "CueAPI/1.0"}

attempts = Operations("Executions")


class AttemptWire(Wire):
    """One POST; `error` is a class, `error_message` is for people, `retry_at` the next try.

    `request_headers` are as sent, signatures and timestamp too; `***` stands for the values of the
    cue's own. Of an attempt that runs or was lost, only those are known that do not change.
    `response_body` is the first 64 KiB of the answer.
    """

    attempt: int
    started_at: Timestamp
    ended_at: Timestamp | None
    result: str
    request_headers: dict[str, str]
    http_status: int | None
    response_body: str | None
    error: str | None
    error_message: str | None
    retry_at: Timestamp | None


class AttemptsWire(Wire):
    """An execution's attempts, oldest first."""

    execution_id: str
    attempts: list[AttemptWire]
    total: int


@attempts.add(
    "GET",
    "/v1/executions/{execution_id}/attempts",
    body=NoBody,
    query=NoQuery,
    answers={200: AttemptsWire},
    codes=("execution_not_found",),
)
async def get_attempts(call: Call[NoBody, NoQuery]) -> Response:
    """Tell each attempt to deliver an execution, and what was answered."""
    row, store = await execution_of(call), call.ports.store
    execution_id = row.execution.facts.id
    made: dict[int, AttemptWire] = {}
    refs: dict[int, str] = {}
    headers = await _headers(call, row)
    for happened in await execution_events(store, call.account_id, execution_id):
        match happened.event:
            case AttemptStarted() as started:
                made[started.epoch] = _started(started, len(made) + 1, headers)
            case AttemptSucceeded() | AttemptFailed() | AttemptLost() as ended:
                made[ended.epoch] = _ended(made[ended.epoch], ended)
                if not isinstance(ended, AttemptLost):
                    made[ended.epoch] = _sent(made[ended.epoch], ended.sent)
                    if ended.response_ref is not None:
                        refs[ended.epoch] = ended.response_ref
            case _:
                continue
    found = await blobs.fetch(store, call.account_id, list(refs.values()))
    for epoch, ref in refs.items():
        if ref in found:
            text = found[ref].decode("utf-8", "replace")
            made[epoch] = msgspec.structs.replace(made[epoch], response_body=text)
    return answer(
        AttemptsWire(execution_id=execution_id, attempts=list(made.values()), total=len(made))
    )


async def _headers(call: Call[Any, Any], row: ExecutionRow) -> dict[str, str]:
    """The headers that are the same on each attempt, and the user's own as they are now."""
    facts = row.execution.facts
    cue = await find_cue(call.ports.store, call.account_id, facts.cue_id)
    ref = cue.cue.facts.settings.callback.headers_ref if cue else None
    sealed = await blobs.fetch(call.ports.store, call.account_id, [ref])
    own = opened_headers(call.ports.keyring, call.account_id, sealed.get(ref or ""))
    return {
        **dict.fromkeys(own, MASKED),
        **FIXED,
        "X-CueAPI-Cue-Id": facts.cue_id,
        "X-CueAPI-Execution-Id": facts.id,
        "X-CueAPI-Scheduled-For": wire_time(facts.scheduled_for),
        "webhook-id": facts.id,
    }


def _started(event: AttemptStarted, number: int, headers: Mapping[str, str]) -> AttemptWire:
    return AttemptWire(
        attempt=number,
        started_at=wire_time(event.at),
        ended_at=None,
        result="running",
        request_headers={**headers, "X-CueAPI-Attempt": str(number)},
        http_status=None,
        response_body=None,
        error=None,
        error_message=None,
        retry_at=None,
    )


def _sent(attempt: AttemptWire, sent: SentHeaders | None) -> AttemptWire:
    """Tell the headers that were sent; an old release has not kept them."""
    if sent is None:
        return attempt
    common = {n: v for n, v in attempt.request_headers.items() if v != MASKED}
    of_attempt = {
        "X-CueAPI-Timestamp": str(sent.timestamp),
        "X-CueAPI-Signature": sent.signature,
        "X-CueAPI-Signature-Previous": sent.previous_signature,
        "webhook-timestamp": str(sent.timestamp),
        "webhook-signature": sent.webhook_signature,
        "traceparent": sent.traceparent,
    }
    given = {name: value for name, value in of_attempt.items() if value is not None}
    headers = {**dict.fromkeys(sent.own, MASKED), **common, **given}
    return msgspec.structs.replace(attempt, request_headers=headers)


def _ended(
    attempt: AttemptWire, event: AttemptSucceeded | AttemptFailed | AttemptLost
) -> AttemptWire:
    ended = msgspec.structs.replace(attempt, ended_at=wire_time(event.at))
    if isinstance(event, AttemptSucceeded):
        return msgspec.structs.replace(ended, result="delivered", http_status=event.http_status)
    retry_at = wire_time_or_none(event.retry_at)
    if isinstance(event, AttemptLost):
        message = "the process that made the attempt was lost"
        return msgspec.structs.replace(
            ended, result="lost", error="lost", error_message=message, retry_at=retry_at
        )
    return msgspec.structs.replace(
        ended,
        result="failed",
        http_status=event.http_status,
        error=event.error,
        error_message=event.message,
        retry_at=retry_at,
    )
