"""What became of a cue's slots, and why (contract §16)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from libs.events.cues import (
    Cue,
    CueEvent,
)
from libs.runtime.clock import utc_now
from services.api.errors import ApiError, Detail, ShapeError
from services.api.queries.history import cue_events
from services.api.queries.ledger import slots_that_ran
from services.api.routes.call import Call
from services.api.routes.finding import cue_id_of, cue_of, no_cue
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import Instant, NoBody, Query
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.ledger import (
    Explanation,
    explain,
    minute_of,
    next_after,
    skipped_slots,
    state_at,
)
from services.api.rules.timestamps import wire_time, wire_time_or_none

MOST = 1_000
USUAL_RANGE = timedelta(hours=24)

ledgers = Operations("Cues")


class SlotsQuery(Query):
    """The range: the last 24 hours if absent."""

    since: Instant | None = None
    until: Instant | None = None


class ExplainQuery(Query):
    """Which time; its minute is looked at."""

    at: Instant


class SlotWire(Wire):
    """A slot's end: `ran` with its execution, or `skipped` with the reason."""

    slot: Timestamp
    verdict: str
    execution_id: str | None
    status: str | None
    reason: str | None


class SlotsWire(Wire):
    """The slots of a range, oldest first; at most 1,000, and whether there are more."""

    cue_id: str
    slots: list[SlotWire]
    total: int
    truncated: bool


class ExplanationWire(Wire):
    """What became of a time, in a word, a code and a sentence."""

    at: Timestamp
    slot: Timestamp | None
    verdict: str
    reason: str | None
    execution_id: str | None
    summary: str
    hint: str | None


@ledgers.add(
    "GET",
    "/v1/cues/{cue_id}/slots",
    body=NoBody,
    query=SlotsQuery,
    answers={200: SlotsWire},
    codes=("cue_not_found",),
)
async def get_slots(call: Call[NoBody, SlotsQuery]) -> Response:
    """List what became of each slot that was due in a range."""
    cue_id, store = (await cue_of(call)).cue.facts.id, call.ports.store
    until = call.query.until or utc_now()
    since = call.query.since or _before(until)
    if since > until:
        raise ShapeError([Detail("query.since", "must not be later than until")])
    ran = await slots_that_ran(store, call.account_id, cue_id, since, until, MOST + 1)
    events = await cue_events(store, call.account_id, cue_id)
    slots = [
        SlotWire(
            slot=wire_time(each.slot),
            verdict="skipped" if each.blocked else "ran",
            execution_id=each.execution_id,
            status=each.status,
            reason="execution_limit_exceeded" if each.blocked else None,
        )
        for each in ran
    ]
    slots += [
        SlotWire(
            slot=wire_time(slot), verdict="skipped", execution_id=None, status=None, reason=reason
        )
        for slot, reason in skipped_slots(events, since, until, MOST + 1)
    ]
    slots.sort(key=lambda each: datetime.fromisoformat(each.slot))
    shown = slots[:MOST]
    return answer(
        SlotsWire(cue_id=cue_id, slots=shown, total=len(shown), truncated=len(slots) > MOST)
    )


@ledgers.add(
    "GET",
    "/v1/cues/{cue_id}/explain",
    body=NoBody,
    query=ExplainQuery,
    answers={200: ExplanationWire},
    codes=("cue_not_found",),
)
async def explain_cue(call: Call[NoBody, ExplainQuery]) -> Response:
    """Tell why the cue ran at a time, or did not; also of a cue that was deleted."""
    cue_id, store, at = cue_id_of(call), call.ports.store, call.query.at
    events = await cue_events(store, call.account_id, cue_id)
    if not events:
        raise no_cue()
    ran = await slots_that_ran(store, call.account_id, cue_id, *_minute(at), 1)
    told = explain(events, ran[0] if ran else None, at, utc_now())
    return answer(
        ExplanationWire(
            at=wire_time(at),
            slot=wire_time_or_none(told.slot),
            verdict=told.verdict,
            reason=told.reason,
            execution_id=told.execution_id,
            summary=_SUMMARIES[told.reason or told.verdict],
            hint=_hint(told, events, at),
        )
    )


def _before(until: datetime) -> datetime:
    try:
        return until - USUAL_RANGE
    except OverflowError as error:
        raise ApiError("validation_error", "query.until: the range begins too early") from error


def _minute(at: datetime) -> tuple[datetime, datetime]:
    try:
        return minute_of(at)
    except OverflowError as error:
        raise ApiError("validation_error", "query.at: must lie before the year 9999") from error


def _hint(told: Explanation, events: list[CueEvent], at: datetime) -> str | None:
    match told.reason:
        case "not_scheduled" | "dst_gap" | "dst_repeat":
            cue: Cue | None = state_at(events, at)
            ahead = next_after(cue.facts.settings.schedule, at) if cue else None
            return f"It is due next at {wire_time(ahead)}." if ahead else None
        case reason:
            return _HINTS.get(reason or "")


_SUMMARIES: dict[str, Any] = {
    "ran": "The cue was due then, and an execution was made.",
    "pending": "The cue is due; its execution is about to be made.",
    "not_scheduled": "The schedule is not due at this time.",
    "paused": "The cue was paused when this slot came.",
    "deleted": "The cue had been deleted when this slot came.",
    "not_yet_created": "The cue, or its schedule, did not exist yet.",
    "catch_up_skipped": "The slot was missed, and the cue does not catch up on missed slots.",
    "merged_into_later_run": "The slot was missed, and one later run stands for all missed ones.",
    "execution_limit_exceeded": "The month's executions were used up.",
    "dst_gap": "The clocks skip this time on that day; the run is at the first instant after it.",
    "dst_repeat": "The clocks show this time twice on that day; the run was at the first pass.",
    "in_future": "The cue will be due then.",
}
_HINTS = {
    "paused": "Resume the cue; what passed while it was paused is not caught up on.",
    "catch_up_skipped": "Set catch_up to run_once_if_missed or replay_all_missed.",
    "merged_into_later_run": "Set catch_up to replay_all_missed to run each missed slot.",
    "execution_limit_exceeded": "Upgrade the plan, or wait for the next calendar month (UTC).",
}
