"""Alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from cueapi.models.model import Model
from cueapi.models.page import Page


class Alert(Model):
    """Something that the account should look at (contract §9)."""

    id: str
    alert_type: str
    severity: str
    cue_id: str
    cue_name: str
    execution_id: str | None
    message: str
    metadata: dict[str, Any]
    acknowledged: bool
    acknowledged_at: datetime | None
    created_at: datetime


class AlertList(Page[Alert]):
    """A page of alerts."""

    _plural: ClassVar[str] = "alerts"
    _kind: ClassVar[type[Model]] = Alert

    alerts: list[Alert]
