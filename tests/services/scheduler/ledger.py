"""The slots that a cue owes, found by walking its schedules one by one.

Written without the counting that it checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from libs.events.base import Event
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    SlotsSkipped,
)
from libs.events.execution_events import ExecutionScheduled
from services.scheduler.rules import next_slot

Stretch = tuple[Schedule, datetime, datetime]
"""A schedule, and the instants after which and up to which it held."""


def walked(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the slots in (after, until]."""
    slot = next_slot(schedule, after)
    while slot is not None and slot <= until:
        yield slot
        slot = next_slot(schedule, slot)


def owed(stretches: Iterable[Stretch]) -> list[datetime]:
    return [slot for stretch in stretches for slot in walked(*stretch)]


def accounted(history: Sequence[Event], slots: Sequence[datetime]) -> Counter[datetime]:
    """Count how often each slot was fired or skipped. A skip covers the owed slots in its range."""
    found: Counter[datetime] = Counter()
    for event in history:
        match event:
            case ExecutionScheduled(triggered_by="scheduled" | "catch_up"):
                found[event.scheduled_for] += 1
            case SlotsSkipped():
                covered = [slot for slot in slots if event.first <= slot <= event.last]
                assert [event.first, event.last] == [covered[0], covered[-1]]
                assert event.count == len(covered)
                found.update(covered)
            case _:
                pass
    return found
