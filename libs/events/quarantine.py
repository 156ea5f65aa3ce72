"""Due rows that break whoever takes them: found, set aside and tried again, one mechanism for all.

What `libs.events.handle` does for commands, this does for rows that time starts: a batch that fails
is taken again in halves, until the row that breaks it fails alone. That row is left as it is, and
passed over for a while that doubles each time, so that the others go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from msgspec.structs import replace
from prometheus_client import Counter

from libs.events.base import Value
from libs.events.timers import Look
from libs.runtime.clock import monotonic
from libs.runtime.ids import jittered
from libs.runtime.postgres import Conflict, Unavailable

log = structlog.get_logger()

FIRST_SECONDS = 1.0
MOST_SECONDS = 300.0
MOST_ROWS = 1_000
"""Set aside at once, in one process: with more, the one that is due back soonest is let in."""

BROKEN = Counter(
    "cueapi_due_rows_broken_total", "Due rows that broke alone, and were set aside", ["timer"]
)


@dataclass
class Batch:
    """The rows of one look: at most `limit`, and none of `without`.

    Whoever takes rows puts their ids into `taken` before it does anything with them. A batch that
    is `narrowed` is smaller than asked for, so that filling it says nothing about the backlog.
    """

    limit: int
    narrowed: bool = False
    without: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


class _Row(Value):
    """A row that broke alone: how often in a row, and until when it is passed over."""

    strikes: int
    until: float


class Quarantine:
    """The rows that one timer passes over, and how many it takes at once at present."""

    def __init__(
        self, timer: str, clock: Callable[[], float] = monotonic, most_rows: int = MOST_ROWS
    ) -> None:
        self._timer = timer
        self._clock = clock
        self._most_rows = most_rows
        self._rows: dict[str, _Row] = {}
        self._limit: int | None = None
        self._cleared: set[str] = set()

    async def look(self, limit: int, take: Callable[[Batch], Awaitable[Look]]) -> Look:
        """Let `take` deal with a batch of at most `limit` rows; give its look.

        Raises `Unavailable`, and whatever `take` raises before it has taken a row.
        """
        batch = Batch(
            limit=min(limit, self._limit or limit),
            narrowed=self._limit is not None,
            without=self._passed_over(),
        )
        try:
            look = await take(batch)
        except Unavailable:
            raise
        except Exception as error:
            if not batch.taken:
                raise
            self._narrow(batch, error)
            return Look(taken=0, more=True)
        for key in batch.taken:
            self._rows.pop(key, None)
        if self._limit is None:
            return look
        self._widen(batch, limit)
        return replace(look, more=True)

    def _passed_over(self) -> list[str]:
        now = self._clock()
        return [*self._cleared, *(key for key, row in self._rows.items() if row.until > now)]

    def _narrow(self, batch: Batch, error: Exception) -> None:
        if len(batch.taken) == 1:
            self._set_aside(batch.taken[0], error)
            return
        self._limit = len(batch.taken) // 2
        log.warning(
            "due rows are taken again in halves",
            timer=self._timer,
            count=len(batch.taken),
            error=repr(error),
        )

    def _widen(self, batch: Batch, limit: int) -> None:
        """Take more at once, and pass over what was good: it may be due still, and come first."""
        assert self._limit is not None
        self._cleared.update(batch.taken)
        self._limit *= 2
        if (
            len(batch.taken) < batch.limit
            or self._limit >= limit
            or len(self._cleared) >= self._most_rows
        ):
            self._limit = None
            self._cleared.clear()

    def _set_aside(self, key: str, error: Exception) -> None:
        known = self._rows.pop(key, None)
        if len(self._rows) >= self._most_rows:
            self._rows.pop(min(self._rows, key=lambda each: self._rows[each].until))
        strikes = known.strikes + 1 if known is not None else 1
        seconds = min(MOST_SECONDS, FIRST_SECONDS * 2 ** (strikes - 1))
        self._rows[key] = _Row(strikes=strikes, until=self._clock() + jittered(seconds))
        BROKEN.labels(self._timer).inc()
        # Another transaction may have been first, which is nobody's mistake the first time.
        tell = log.warning if isinstance(error, Conflict) and strikes == 1 else log.error
        tell(
            "a due row breaks its timer and is set aside",
            timer=self._timer,
            row=key,
            strikes=strikes,
            exc_info=error,
        )
