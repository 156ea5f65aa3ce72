"""What happened to an execution, out of the log (contract §16)."""

from __future__ import annotations

from typing import get_args

import msgspec
from starlette.responses import Response

from libs.events.execution_events import ExecutionEvent
from services.api.errors import ApiError
from services.api.queries.timeline import Happened, execution_events
from services.api.routes.call import Call
from services.api.routes.finding import execution_of
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import NoBody, NoQuery
from services.api.routes.wire import AnyObject, Timestamp, Wire, trace_id_of
from services.api.rules.timeline import summary
from services.api.rules.timestamps import wire_time

timelines = Operations("Executions")

_KINDS = get_args(ExecutionEvent)


class TimelineItemWire(Wire):
    """One event; `data` is what the log holds, payloads by reference."""

    at: Timestamp
    type: str
    summary: str
    data: AnyObject
    actor: str
    trace_id: str | None
    version: int


class TimelineWire(Wire):
    """An execution's events, oldest first."""

    execution_id: str
    events: list[TimelineItemWire]
    total: int


@timelines.add(
    "GET",
    "/v1/executions/{execution_id}/timeline",
    body=NoBody,
    query=NoQuery,
    answers={200: TimelineWire},
    codes=("execution_not_found", "timeline_archived"),
)
async def get_timeline(call: Call[NoBody, NoQuery]) -> Response:
    """Tell everything that happened to an execution, oldest first.

    Operators move old months of the log into archives; what became of the execution stays.
    """
    row = await execution_of(call)
    execution_id = row.execution.facts.id
    happened = await execution_events(call.ports.store, call.account_id, execution_id)
    if not happened or happened[0].version > 1:
        raise ApiError("timeline_archived", "this execution's events were moved to an archive")
    return answer(
        TimelineWire(
            execution_id=execution_id,
            events=[_item(each) for each in happened],
            total=len(happened),
        )
    )


def _item(happened: Happened) -> TimelineItemWire:
    event = happened.event
    assert isinstance(event, _KINDS), f"{happened.type} in an execution's stream"
    return TimelineItemWire(
        at=wire_time(event.at),
        type=happened.type,
        summary=summary(event),
        data=msgspec.Raw(msgspec.json.encode(event)),
        actor=happened.meta.actor,
        trace_id=trace_id_of(happened.meta.traceparent),
        version=happened.version,
    )
