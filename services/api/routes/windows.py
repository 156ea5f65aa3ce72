"""A sliding log of requests in this process: for callers without an account."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import NamedTuple

MAX_SUBJECTS = 100_000


class Verdict(NamedTuple):
    """Whether a request was counted, how many are in the window, and seconds until it changes.

    `resets_in` is when the window empties; for one not counted, when the oldest entry leaves.
    """

    counted: bool
    used: int
    resets_in: float


class SlidingWindows:
    """At most `limit` requests in any `seconds`, for each subject. What is refused does not count.

    The subjects seen longest ago are forgotten when there are too many.
    """

    def __init__(self, limit: int, seconds: float = 60.0, max_subjects: int = MAX_SUBJECTS) -> None:
        self.limit = limit
        self._seconds = seconds
        self._max_subjects = max_subjects
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, subject: str, now: float) -> Verdict:
        """Count a request at `now` (seconds of a clock that only grows), if there is room."""
        hits = self._hits.setdefault(subject, deque(maxlen=self.limit))
        self._hits.move_to_end(subject)
        while len(self._hits) > self._max_subjects:
            self._hits.popitem(last=False)
        while hits and hits[0] <= now - self._seconds:
            hits.popleft()
        if len(hits) == self.limit:
            return Verdict(False, self.limit, hits[0] + self._seconds - now)
        hits.append(now)
        return Verdict(True, len(hits), self._seconds)


def whole_seconds(seconds: float) -> int:
    """Round up to at least one second, as `Retry-After` wants it."""
    return max(1, math.ceil(seconds))
