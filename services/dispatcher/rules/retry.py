"""When a failed attempt is tried again (contract §6, Retry)."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.events.cue_settings import (
    Retry,
)

LONGEST_RETRY_AFTER = 3_600


def retry_at(
    retry: Retry, attempt: int, now: datetime, retry_after: int | None = None
) -> datetime | None:
    """Give the time of the next attempt after failed attempt `attempt`, or None if it was the last.

    Waits `backoff_minutes[min(attempt, len) - 1]`, or the receiver's `Retry-After` (seconds) when
    that is longer and at most an hour.
    """
    if attempt >= retry.max_attempts:
        return None
    minutes = retry.backoff_minutes[min(attempt, len(retry.backoff_minutes)) - 1]
    wait = minutes * 60
    if retry_after is not None and retry_after <= LONGEST_RETRY_AFTER:
        wait = max(wait, retry_after)
    return now + timedelta(seconds=wait)


def retry_after_seconds(status: int, header: str | None) -> int | None:
    """Read an integer `Retry-After` of a 429 or 503; anything else is None."""
    if status not in (429, 503) or header is None:
        return None
    text = header.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None
