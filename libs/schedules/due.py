"""The catch-up decision: what becomes of the slots that came due since the last look.

No silence (design §2 rule 4): every slot after the cursor, up to now, is in exactly one fire or
one skip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias, assert_never

from libs.schedules.wall import RESOLUTION

NextSlot: TypeAlias = Callable[[datetime], datetime | None]
"""The first slot strictly after an instant, such as `partial(next_occurrence, cron, zone)`."""

CountSlots: TypeAlias = Callable[[datetime, datetime], int]
"""How many slots lie in (after, until], such as `partial(count_occurrences, cron, zone)`."""

SkipReason: TypeAlias = Literal["catch_up_skipped", "merged_into_later_run"]

MISSED_AFTER = timedelta(seconds=60)
"""A slot first seen later than this was missed: the scheduler was down (contract §5)."""

REPLAY_LIMIT = 100
"""How many missed slots `replay_all_missed` runs, the latest ones (contract §5)."""


class CatchUp(StrEnum):
    """What a cue wants done about the slots it missed (contract §5)."""

    SKIP_MISSED = "skip_missed"
    RUN_ONCE_IF_MISSED = "run_once_if_missed"
    REPLAY_ALL_MISSED = "replay_all_missed"


@dataclass(frozen=True, slots=True)
class Fire:
    """A slot that becomes an execution."""

    scheduled_for: datetime
    triggered_by: Literal["scheduled", "catch_up"]


@dataclass(frozen=True, slots=True)
class Skip:
    """The `count` slots from `first` to `last` make no execution."""

    first: datetime
    last: datetime
    count: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Due:
    """All that came due, oldest first, and the first slot which has not."""

    fires: tuple[Fire, ...]
    skips: tuple[Skip, ...]
    next_run: datetime | None


def due(
    next_slot: NextSlot,
    cursor: datetime,
    now: datetime,
    catch_up: CatchUp,
    count_slots: CountSlots | None = None,
) -> Due:
    """Decide about the slots in (cursor, now].

    `cursor` is the last slot handled, or any instant between it and the next. `next_run` is the
    first slot after both, so that a clock which was put back fires nothing again. Without
    `count_slots` the skipped slots are counted by walking through them, which takes seconds for
    a minutely schedule that missed a year.
    """
    missed_until = max(cursor, now - MISSED_AFTER - RESOLUTION)
    on_time = tuple(Fire(slot, "scheduled") for slot in _walk(next_slot, missed_until, now))
    next_run = next_slot(max(cursor, now))
    first = next_slot(cursor)
    if first is None or first > missed_until:
        return Due(on_time, (), next_run)

    kept, reason = _policy(catch_up, served=bool(on_time))
    late = _latest(next_slot, cursor, missed_until, kept)
    fires = tuple(Fire(slot, "catch_up") for slot in late) + on_time
    skipped_until = late[0] - RESOLUTION if late else missed_until
    if first > skipped_until:
        return Due(fires, (), next_run)
    (last,) = _latest(next_slot, cursor, skipped_until, 1)
    count = (count_slots or _counter(next_slot))(cursor, skipped_until)
    return Due(fires, (Skip(first, last, count, reason),), next_run)


def _policy(catch_up: CatchUp, *, served: bool) -> tuple[int, SkipReason]:
    """Return how many of the missed slots run, the latest ones, and why the others do not.

    `served`: a slot that is on time runs in the same look.
    """
    match catch_up:
        case CatchUp.SKIP_MISSED:
            return 0, "catch_up_skipped"
        case CatchUp.RUN_ONCE_IF_MISSED:
            return 0 if served else 1, "merged_into_later_run"
        case CatchUp.REPLAY_ALL_MISSED:
            return REPLAY_LIMIT, "catch_up_skipped"
        case _:
            assert_never(catch_up)


def _walk(next_slot: NextSlot, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the slots in (after, until]."""
    slot = next_slot(after)
    while slot is not None and slot <= until:
        yield slot
        slot = next_slot(slot)


def _latest(
    next_slot: NextSlot, after: datetime, until: datetime, limit: int
) -> tuple[datetime, ...]:
    """Return the last `limit` slots in (after, until], oldest first.

    Slots can only be walked forwards, so this starts ever further back until it meets enough.
    """
    reach = timedelta(minutes=limit)
    while limit:
        reach = min(reach, until - after)
        found = deque(_walk(next_slot, until - reach, until), maxlen=limit)
        if len(found) == limit or reach == until - after:
            return tuple(found)
        reach *= 4
    return ()


def _counter(next_slot: NextSlot) -> CountSlots:
    return lambda after, until: sum(1 for _ in _walk(next_slot, after, until))
