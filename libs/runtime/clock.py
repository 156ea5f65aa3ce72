"""The one place where the time is read; decisions take it from the database instead."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give this machine's time in UTC: for logs, headers and tokens, never for due times."""
    return datetime.now(UTC)


def unix_now() -> int:
    """Give this machine's time in whole unix seconds, as signatures carry it."""
    return int(time.time())


def monotonic() -> float:
    """Give seconds that only grow, for measuring durations."""
    return time.monotonic()


def rfc3339(instant: datetime) -> str:
    """Write an instant in UTC with `Z`; no fraction when it is zero, else six digits."""
    text = instant.astimezone(UTC).isoformat(timespec="auto")
    return text.replace("+00:00", "Z")
