"""The ledger of slots: every one that came due has exactly one end on record (design §2 rule 4)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from libs.events.base import Event, Value
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    CueCreated,
    CueDeleted,
    CuePaused,
    CueUpdated,
    SlotsSkipped,
)
from libs.events.execution_events import ExecutionScheduled


class Stretch(Value):
    """A time in which one schedule held: after `since`, up to `until`."""

    schedule: Schedule
    since: datetime
    until: datetime


def stretches(events: Sequence[Event], now: datetime) -> list[Stretch]:
    """Give the times for which a cue's slots are on record by now, each with its schedule.

    What passes during a pause is on record when the pause ends.
    """
    found: list[Stretch] = []
    schedule: Schedule | None = None
    since = until = now
    for event in events:
        match event:
            case CueCreated() | CueUpdated():
                if schedule is not None:
                    found.append(Stretch(schedule=schedule, since=since, until=event.at))
                schedule, since, until = event.settings.schedule, event.at, now
            case CuePaused() | CueDeleted():
                until = event.at
            case _:
                until = now if until != now and type(event).__name__ == "CueResumed" else until
    if schedule is not None:
        found.append(Stretch(schedule=schedule, since=since, until=until))
    return found


def slots(stretch: Stretch) -> Iterator[datetime]:
    """Compute the slots of a stretch, not with the code under test."""
    if stretch.schedule.at is not None:
        if stretch.since < stretch.schedule.at <= stretch.until:
            yield stretch.schedule.at
        return
    assert stretch.schedule.cron is not None
    zone = ZoneInfo(stretch.schedule.timezone)
    for slot in CronSim(stretch.schedule.cron, stretch.since.astimezone(zone)):
        if slot > stretch.until:
            return
        yield slot


def ends(
    slot: datetime, events: Sequence[Event], fired: Sequence[ExecutionScheduled]
) -> tuple[int, int]:
    """Count the executions of a slot, and the records which say that it has none."""
    made = sum(execution.scheduled_for == slot for execution in fired)
    skipped = sum(
        event.first <= slot <= event.last for event in events if isinstance(event, SlotsSkipped)
    )
    return made, skipped
