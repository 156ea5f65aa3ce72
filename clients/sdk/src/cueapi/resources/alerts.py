"""Alerts: list and acknowledge (contract §2 nr 35-36)."""

from __future__ import annotations

from cueapi.calls import Call, query
from cueapi.models.alerts import Alert, AlertList
from cueapi.resource import AsyncResource, Resource, listing, operation
from cueapi.values import Instant, segment


class AlertCalls:
    """The calls about alerts."""

    @listing
    def list(
        self,
        *,
        alert_type: str | None = None,
        cue_id: str | None = None,
        execution_id: str | None = None,
        acknowledged: bool | None = None,
        since: Instant | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> Call[AlertList]:
        """List alerts, newest first; going over the result fetches all pages."""
        wanted = query(
            alert_type=alert_type,
            cue_id=cue_id,
            execution_id=execution_id,
            acknowledged=acknowledged,
            since=since,
            limit=limit,
            offset=offset,
        )
        return Call("GET", "/v1/alerts", AlertList.from_dict, query=wanted)

    @operation
    def acknowledge(self, alert_id: str) -> Call[Alert]:
        """Note that somebody has seen it."""
        path = f"/v1/alerts/{segment(alert_id)}/acknowledge"
        return Call("POST", path, Alert.from_dict, json={})


class AlertsResource(AlertCalls, Resource):
    """`client.alerts`."""


class AsyncAlertsResource(AlertCalls, AsyncResource):
    """`client.alerts` of an async client."""
