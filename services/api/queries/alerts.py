"""Alerts as their users see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from libs.events.alerts import Alert
from services.api.queries.pages import Filters, Listing, Page, Pages, Reads

_COLUMNS = "id::text as id, created_at, cue_name, state::text as state"
_LISTING = Listing("api_alerts", _COLUMNS)
_DECODER = msgspec.json.Decoder(Alert)


class AlertRow(NamedTuple):
    """An alert's state, and its cue's name, also of a cue that is gone."""

    alert: Alert
    cue_name: str


async def find_alert(database: Reads, account_id: str, alert_id: str) -> AlertRow | None:
    """Read one alert; None when the account has no such alert."""
    rows = await database.rows(
        f"select {_COLUMNS} from api_alerts where account_id = %(account)s and id = %(id)s",  # noqa: S608 - our names
        {"account": account_id, "id": alert_id},
    )
    return _row(rows[0]) if rows else None


async def list_alerts(pages: Pages, filters: Filters, page: Page) -> tuple[int, list[AlertRow]]:
    """Read a page of alerts, newest first; give the number of all matches first."""
    found = await pages.read(_LISTING, filters, page)
    return found.counted.total, [_row(row) for row in found.rows]


def _row(row: Mapping[str, Any]) -> AlertRow:
    return AlertRow(_DECODER.decode(row["state"]), row["cue_name"] or "")
