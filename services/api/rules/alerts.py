"""Which alerts can be asked for (contract §9)."""

from __future__ import annotations

KINDS = ("consecutive_failure", "missed_window", "outcome_timeout", "verification_failed")
PLURAL = "consecutive_failures"


def kind_of(text: str) -> str:
    """Read an `alert_type` filter; the plural of the first kind is an older name of it."""
    return KINDS[0] if text == PLURAL else text
