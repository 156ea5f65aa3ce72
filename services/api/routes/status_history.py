"""How well the service has worked: what the public status page shows."""

from __future__ import annotations

from datetime import datetime

import msgspec
from starlette.responses import Response

from libs.runtime.clock import utc_now
from services.api.routes.call import Call
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.ports import HISTORY_SECONDS
from services.api.routes.shapes import NoBody, NoQuery
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time, wire_time_or_none
from services.api.rules.uptime import COMPONENTS, Day, Incident, Uptime

status_history = Operations("Health")

_WORST_FIRST = ("down", "degraded", "unknown", "operational")


class DayWire(Wire):
    """A day in UTC: the share of good minutes, 0 to 1, of those seen; null when none was."""

    date: str
    uptime: float | None
    minutes: int


class ComponentWire(Wire):
    """`status`: operational, degraded, down or unknown. `uptime` is that of all its days."""

    name: str
    status: str
    uptime: float | None
    days: list[DayWire]


class IncidentWire(Wire):
    """Bad minutes in a row; `ended_at` is null while they go on."""

    component: str
    began_at: Timestamp
    ended_at: Timestamp | None
    minutes: int


class HistoryWire(Wire):
    """The last 90 days, oldest first; the latest 100 incidents of them, latest first."""

    status: str
    generated_at: Timestamp
    components: list[ComponentWire]
    incidents: list[IncidentWire]


@status_history.add(
    "GET",
    "/v1/status/history",
    body=NoBody,
    query=NoQuery,
    answers={200: HistoryWire},
    access=Access.OPEN,
)
async def get_status_history(call: Call[NoBody, NoQuery]) -> Response:
    """Tell how well the service has worked on each of the last 90 days, and its incidents.

    It is judged by a cue of the service's own, which goes the whole way each minute: `scheduling`
    (fired within 10 seconds), `delivery` (delivered within 30 more) and `outcomes` (on record).
    A minute in which it was not fired counts against `scheduling`. Two bad minutes in a row are an
    incident. Everything is `unknown` where that cue is switched off. Needs no key, is not limited,
    and is answered from memory.
    """
    body = await call.ports.history.get(lambda: _encoded(call.ports.uptime, utc_now()))
    headers = {"Cache-Control": f"public, max-age={HISTORY_SECONDS:.0f}"}
    return answer(msgspec.Raw(body), headers=headers)


async def _encoded(uptime: Uptime, now: datetime) -> bytes:
    components = [_component(uptime, name, now) for name in COMPONENTS]
    states = {component.status for component in components}
    return msgspec.json.encode(
        HistoryWire(
            status=next(state for state in _WORST_FIRST if state in states),
            generated_at=wire_time(now),
            components=components,
            incidents=[_incident(incident) for incident in uptime.incidents(now)],
        )
    )


def _component(uptime: Uptime, name: str, now: datetime) -> ComponentWire:
    days = uptime.days(name, now.date())
    good, bad = sum(day.good for day in days), sum(day.bad for day in days)
    whole = Day(now.date(), good, bad)
    return ComponentWire(
        name=name,
        status=uptime.status(name, now),
        uptime=_share(whole),
        days=[
            DayWire(date=day.date.isoformat(), uptime=_share(day), minutes=day.good + day.bad)
            for day in days
        ],
    )


def _share(day: Day) -> float | None:
    return None if day.uptime is None else round(day.uptime, 6)


def _incident(incident: Incident) -> IncidentWire:
    return IncidentWire(
        component=incident.component,
        began_at=wire_time(incident.began_at),
        ended_at=wire_time_or_none(incident.ended_at),
        minutes=incident.minutes,
    )
