"""What an alert says to a person (contract §9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = ("consecutive_failure", "missed_window", "outcome_timeout", "verification_failed")
PLURAL = "consecutive_failures"


def kind_of(text: str) -> str:
    """Read an `alert_type` filter; the plural of the first kind is an older name of it."""
    return KINDS[0] if text == PLURAL else text


def message(kind: str, cue_name: str, facts: Mapping[str, Any]) -> str:
    """Tell an alert in a sentence."""
    match kind:
        case "consecutive_failure":
            return f"{cue_name} failed {facts.get('consecutive_failures')} times in a row"
        case "missed_window":
            return f"{cue_name} has not succeeded since it was due at {facts.get('expected_by')}"
        case "outcome_timeout":
            seconds = facts.get("outcome_deadline_seconds")
            return f"{cue_name} was delivered, but reported no outcome within {seconds} seconds"
        case "verification_failed":
            missing = facts.get("missing")
            return f"{cue_name} reported success that is not verified" + (
                f": {missing}" if missing else ""
            )
        case _:
            return f"{cue_name}: {kind}"
