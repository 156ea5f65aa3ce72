"""Why a cue ran at a time, or did not (contract §16). Pure; told by the cue's own events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple

from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    ActiveCue,
    Cue,
    CueEvent,
    DeletedCue,
    PausedCue,
    SlotsSkipped,
    evolve,
)
from libs.schedules.cron import parse
from libs.schedules.dst import passed_over
from libs.schedules.occurrences import next_occurrence, occurrences
from libs.schedules.zones import zone

_INSTANT = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)

Verdict = Literal["ran", "skipped", "not_due", "pending"]

LIMIT = "execution_limit_exceeded"


class Skipped(NamedTuple):
    """A due slot that made no execution, and why."""

    slot: datetime
    reason: str


class Ran(NamedTuple):
    """The execution that a slot made; `blocked` when a limit ended it at once."""

    slot: datetime
    execution_id: str
    status: str
    blocked: bool


class Explanation(NamedTuple):
    """What became of a time: the slot that it stands for, if any, and the reason, if any."""

    slot: datetime | None
    verdict: Verdict
    reason: str | None
    execution_id: str | None = None


def skipped_slots(
    events: Sequence[CueEvent], since: datetime, until: datetime, most: int
) -> list[Skipped]:
    """Name the slots in [since, until] that were skipped, at most `most`, oldest first."""
    found: list[Skipped] = []
    cue: Cue | None = None
    for event in events:
        if isinstance(event, SlotsSkipped) and cue is not None:
            first, last = max(event.first, since), min(event.last, until)
            slots = slots_in(cue.facts.settings.schedule, first, last)
            found += [Skipped(slot, event.reason) for slot in islice(slots, most - len(found))]
        cue = evolve(cue, event)
    return found


def slots_in(schedule: Schedule, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the slots of a schedule in [first, last]."""
    if schedule.at is not None:
        if first <= schedule.at <= last:
            yield schedule.at
    elif first <= last:
        place = zone(schedule.timezone)
        yield from occurrences(parse(schedule.cron or ""), place, first - _INSTANT, last)


def state_at(events: Sequence[CueEvent], at: datetime) -> Cue | None:
    """Fold the cue's own events up to an instant; None before the first."""
    cue: Cue | None = None
    for event in events:
        if event.at > at:
            break
        cue = evolve(cue, event)
    return cue


def minute_of(at: datetime) -> tuple[datetime, datetime]:
    """The first and the last instant of the minute that a time lies in."""
    first = at.replace(second=0, microsecond=0)
    return first, first + _MINUTE - _INSTANT


def explain(
    events: Sequence[CueEvent], ran: Ran | None, at: datetime, now: datetime
) -> Explanation:
    """Say what became of the minute that `at` lies in. `ran` is its scheduled execution."""
    if ran is not None:
        if ran.blocked:
            return Explanation(ran.slot, "skipped", LIMIT, ran.execution_id)
        return Explanation(ran.slot, "ran", None, ran.execution_id)
    first, last = minute_of(at)
    for skipped in skipped_slots(events, first, last, 1):
        return Explanation(skipped.slot, "skipped", skipped.reason)
    cue = state_at(events, last)
    if cue is None:
        return Explanation(None, "not_due", "not_yet_created")
    schedule = cue.facts.settings.schedule
    slot = next(slots_in(schedule, first, last), None)
    if slot is None:
        return Explanation(None, "not_due", _not_scheduled(schedule, first))
    return _unfired(cue, slot, now)


def _unfired(cue: Cue, slot: datetime, now: datetime) -> Explanation:
    match cue:
        case DeletedCue():
            return Explanation(slot, "skipped", "deleted")
        case PausedCue():
            return Explanation(slot, "skipped", "paused")
        case ActiveCue() if slot > now:
            return Explanation(slot, "pending", "in_future")
        case ActiveCue(facts=facts) if slot <= facts.created_at:
            return Explanation(slot, "not_due", "not_yet_created")
        case ActiveCue(next_run=datetime() as due) if due <= slot:
            return Explanation(slot, "pending", None)
        case _:
            return Explanation(slot, "not_due", "not_scheduled")


def _not_scheduled(schedule: Schedule, first: datetime) -> str:
    if schedule.cron is None:
        return "not_scheduled"
    why = passed_over(parse(schedule.cron), zone(schedule.timezone), first)
    return f"dst_{why}" if why else "not_scheduled"


def next_after(schedule: Schedule, at: datetime) -> datetime | None:
    """The first slot of a schedule after an instant."""
    if schedule.at is not None:
        return schedule.at if schedule.at > at else None
    return next_occurrence(parse(schedule.cron or ""), zone(schedule.timezone), at)
