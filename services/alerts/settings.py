"""What the alerts service reads from its environment."""

from __future__ import annotations

from libs.runtime.settings import Settings


class AlertsSettings(Settings):
    """Settings of the alerts service: those of every service."""
