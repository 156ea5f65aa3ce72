"""Alerts: list and acknowledge (contract §2 nr 35, 36)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from libs.events.alerts import SEVERITY, AcknowledgeAlert, AcknowledgedAlert, message
from libs.events.answers import Done
from services.api.errors import ApiError
from services.api.queries.alerts import AlertRow, find_alert, list_alerts
from services.api.queries.pages import Filters, Page
from services.api.routes.call import Call
from services.api.routes.filters import one_of
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import (
    Instant,
    NoBody,
    NoFields,
    NoQuery,
    PageLimit,
    PageOffset,
    Query,
    QueryFlag,
)
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.alerts import KINDS, kind_of
from services.api.rules.ids import is_cue_id, is_uuid
from services.api.rules.timestamps import wire_time, wire_time_or_none

alerts = Operations("Alerts")


class ListAlertsQuery(Query):
    """Which alerts to list."""

    alert_type: str | None = None
    cue_id: str | None = None
    execution_id: str | None = None
    acknowledged: QueryFlag | None = None
    since: Instant | None = None
    limit: PageLimit = 20
    offset: PageOffset = 0


class AlertWire(Wire):
    """Something about a cue went wrong."""

    id: str
    alert_type: str
    severity: str
    cue_id: str
    cue_name: str
    execution_id: str | None
    message: str
    metadata: dict[str, Any]
    acknowledged: bool
    acknowledged_at: Timestamp | None
    created_at: Timestamp


class AlertListWire(Wire):
    """A page of alerts."""

    alerts: list[AlertWire]
    total: int
    limit: int
    offset: int


@alerts.add(
    "GET",
    "/v1/alerts",
    body=NoBody,
    query=ListAlertsQuery,
    answers={200: AlertListWire},
    codes=("invalid_filter",),
)
async def get_alerts(call: Call[NoBody, ListAlertsQuery]) -> Response:
    """List alerts, newest first; also those of cues that are gone."""
    query = call.query
    filters = _filters(call.account_id, query)
    total, rows = await list_alerts(call.ports.pages, filters, Page(query.limit, query.offset))
    return answer(
        AlertListWire(
            alerts=[_alert(row) for row in rows],
            total=total,
            limit=query.limit,
            offset=query.offset,
        )
    )


@alerts.add(
    "POST",
    "/v1/alerts/{alert_id}/acknowledge",
    body=NoFields,
    query=NoQuery,
    answers={200: AlertWire},
    codes=("alert_not_found",),
)
async def acknowledge_alert(call: Call[NoFields, NoQuery]) -> Response:
    """Say that a person has seen the alert; once is enough."""
    alert_id = call.path("alert_id")
    if not is_uuid(alert_id):
        raise _no_alert()
    command = AcknowledgeAlert(account_id=call.account_id, alert_id=alert_id)
    await call.ask(command, Done)
    row = await find_alert(call.ports.store, call.account_id, alert_id)
    if row is None:
        raise _no_alert()
    return answer(_alert(row))


def _filters(account_id: str, query: ListAlertsQuery) -> Filters:
    filters = Filters(account_id)
    if query.alert_type is not None:
        kind = kind_of(query.alert_type)
        one_of("alert_type", kind, KINDS)
        filters.equal("kind", kind)
    # Ids of another form have no alerts; they need not travel to Postgres to say so.
    if query.cue_id is not None:
        if is_cue_id(query.cue_id):
            filters.equal("cue_id", query.cue_id)
        else:
            filters.add("false", {})
    if query.execution_id is not None:
        if is_uuid(query.execution_id):
            filters.equal("execution_id", query.execution_id)
        else:
            filters.add("false", {})
    if query.acknowledged is not None:
        word = "is not null" if query.acknowledged else "is null"
        filters.add(f"acknowledged_at {word}", {})
    if query.since is not None:
        filters.add("created_at >= %(since)s", {"since": query.since})
    return filters


def _alert(row: AlertRow) -> AlertWire:
    facts = row.alert.facts
    seen = row.alert.acknowledged_at if isinstance(row.alert, AcknowledgedAlert) else None
    return AlertWire(
        id=facts.id,
        alert_type=facts.kind,
        severity=SEVERITY,
        cue_id=facts.cue_id,
        cue_name=row.cue_name,
        execution_id=facts.execution_id,
        message=message(facts.kind, row.cue_name, facts.facts),
        metadata=facts.facts,
        acknowledged=seen is not None,
        acknowledged_at=wire_time_or_none(seen),
        created_at=wire_time(facts.created_at),
    )


def _no_alert() -> ApiError:
    return ApiError("alert_not_found", "no alert of this account has this id")
