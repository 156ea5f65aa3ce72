"""How often people are told, and tried to be told. Pure (contract §9)."""

from __future__ import annotations

from datetime import timedelta

TRIES = 3
MAILS_AN_HOUR = 10
"""Of failures and alerts, to one account in a rolling hour; the rest come in a digest."""

DIGEST_AFTER = timedelta(hours=1)
LEASE = timedelta(seconds=60)
"""A try without a result for so long has died with its process; the next one may begin."""

SEND_SECONDS = 10.0

_WAITS = (timedelta(minutes=1), timedelta(minutes=5))


def wait_after(tries: int) -> timedelta | None:
    """How long to wait after so many tries have failed; None when none is left."""
    return _WAITS[tries - 1] if tries < TRIES else None


def mails_admitted(wanted: int, mailed_last_hour: int) -> int:
    """How many of the mails that are wanted now may go out on their own."""
    return max(0, min(wanted, MAILS_AN_HOUR - mailed_last_hour))
