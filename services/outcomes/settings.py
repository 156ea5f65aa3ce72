"""What the outcomes service reads from its environment."""

from __future__ import annotations

from libs.runtime.settings import Settings


class OutcomesSettings(Settings):
    """Settings of the outcomes service: those of every service."""
