"""Whether to send a request again, and when: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

RETRIED_STATUSES = frozenset({408, 429}) | frozenset(range(500, 600))


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently to send again; times are in seconds.

    The n-th wait is drawn between half and all of `first * 2**n`, `longest` at most. The server's
    `Retry-After` counts instead, unless it is beyond `patience`: then the error is raised at once,
    so that no call hangs for minutes unasked.
    """

    retries: int = 2
    first: float = 0.5
    longest: float = 8.0
    patience: float = 60.0

    def wait(self, tries: int, draw: float, retry_after: int | None = None) -> float | None:
        """Give the seconds to wait after this many tries, None to give up.

        `draw` is a random number in [0, 1).
        """
        if tries > self.retries:
            return None
        backoff: float = min(self.longest, self.first * 2 ** (tries - 1)) * (1 + draw) / 2
        if retry_after is None:
            return backoff
        if retry_after > self.patience:
            return None
        # Jitter on top: all who were refused at once must not come back at once.
        return retry_after + draw * self.first
