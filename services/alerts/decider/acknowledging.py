"""What acknowledging an alert does. Pure (contract nr 36)."""

from __future__ import annotations

from datetime import datetime

from libs.events.alerts import AcknowledgeAlert, AcknowledgedAlert, Alert, AlertAcknowledged
from libs.events.base import Rejection


def acknowledge(
    command: AcknowledgeAlert, alert: Alert | None, now: datetime
) -> list[AlertAcknowledged] | Rejection:
    """Acknowledge an alert; once is enough."""
    if alert is None:
        message = f"no alert {command.alert_id} in this account"
        return Rejection(code="alert_not_found", message=message)
    return [] if isinstance(alert, AcknowledgedAlert) else [AlertAcknowledged(at=now)]
