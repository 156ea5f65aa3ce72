"""Which cues are watched, and when one has missed its window. Pure (contract §9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from libs.events.base import Value
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    ActiveCue,
    Cue,
)
from services.alerts.decider.episodes import QUIET, Called, PastAlert
from services.alerts.rules.windows import nth_slot

KIND = "missed_window"
GRACE = timedelta(seconds=60)
"""A slot without a success is missed this long after it."""

KNOWN_ALERTS = 20
"""How many of a cue's alerts about windows are read."""


class Watch(Value):
    """A recurring, active cue that is looked at when `due_at` comes.

    `since` is its creation, its latest resumption or its latest new schedule; `succeeded_at` its
    latest success as of the last look.
    """

    cue_id: str
    account_id: str
    schedule: Schedule
    since: datetime
    succeeded_at: datetime | None = None
    due_at: datetime | None = None


class LatestSuccess(Value):
    """When a cue last succeeded, sought among its executions made since `sought_since` (or all)."""

    at: datetime | None = None
    sought_since: datetime | None = None


class Seen(Value):
    """What a look at a cue came to: the watch as it goes on, None if it ends; and an alert."""

    watch: Watch | None
    called: Called | None = None


def watch_for(cue: Cue, known: Watch | None, resumed_at: datetime | None) -> Watch | None:
    """Give the watch that a cue needs as it is now; None for one that cannot miss a window.

    `resumed_at` is set when the cue is known to have been resumed since `known` was written.
    """
    schedule = cue.facts.settings.schedule
    if not isinstance(cue, ActiveCue) or schedule.cron is None:
        return None
    if known is None or known.schedule != schedule:
        watch = Watch(
            cue_id=cue.facts.id,
            account_id=cue.facts.account_id,
            schedule=schedule,
            since=cue.facts.updated_at,
        )
    else:
        watch = replace(known, since=max(known.since, resumed_at or known.since))
    return _until(watch, _expected_by(watch, _multiplier(cue)))


def look(
    watch: Watch,
    cue: Cue | None,
    success: LatestSuccess,
    past: Sequence[PastAlert],
    now: datetime,
) -> Seen:
    """Look at a watched cue: has it missed its window, and is that news?

    `past` are its latest alerts of this kind, newest first, at most `KNOWN_ALERTS`. An alert is
    raised once for all that follows one success; once that is seen, again at the next slot. A
    success that turns out to be none takes the cue back to an older one, which may have been told.
    """
    renewed = watch_for(cue, watch, None) if cue is not None else None
    if cue is None or renewed is None:
        return Seen(watch=None)
    watch = replace(renewed, succeeded_at=_succeeded_at(watch, success))
    multiplier = _multiplier(cue)
    episode, expected_by = _stamp(_baseline(watch)), _expected_by(watch, multiplier)
    if expected_by is None or expected_by + GRACE > now:
        return Seen(watch=_until(watch, expected_by))
    # A success from now on moves the next window at least this far.
    later = _until(watch, nth_slot(watch.schedule, multiplier, now))
    told_of = next((a for a in past if a.episode.partition("@")[0] == episode), None)
    if told_of is None and _is_too_old(_baseline(watch), past):
        return Seen(watch=later)
    if told_of is not None:
        if told_of.acknowledged_at is None:
            return Seen(watch=later)
        expected_by = nth_slot(watch.schedule, 1, told_of.acknowledged_at)
        if expected_by is None or expected_by + GRACE > now:
            return Seen(watch=_until(watch, expected_by))
        episode = f"{episode}@{_stamp(expected_by)}"
    if past and now - past[0].created_at < QUIET:
        return Seen(watch=replace(watch, due_at=past[0].created_at + QUIET))
    told = {
        "expected_by": _stamp(expected_by),
        "last_success_at": watch.succeeded_at and _stamp(watch.succeeded_at),
        "multiplier": multiplier,
    }
    return Seen(watch=later, called=Called(kind=KIND, episode=episode, facts=told))


def _is_too_old(baseline: datetime, past: Sequence[PastAlert]) -> bool:
    """Whether an alert about this baseline could be older than those that were read."""
    return len(past) >= KNOWN_ALERTS and baseline < past[-1].created_at


def _succeeded_at(watch: Watch, success: LatestSuccess) -> datetime | None:
    """The latest success; the one that was seen before counts where nobody looked again."""
    known = watch.succeeded_at
    if success.at is not None or known is None or success.sought_since is None:
        return success.at
    return known if known < success.sought_since else None


def _stamp(instant: datetime) -> str:
    return str(msgspec.to_builtins(instant))


def _baseline(watch: Watch) -> datetime:
    """The instant from which the slots without a success are counted."""
    return max(watch.since, watch.succeeded_at or watch.since)


def _expected_by(watch: Watch, multiplier: int) -> datetime | None:
    return nth_slot(watch.schedule, multiplier, _baseline(watch))


def _multiplier(cue: Cue) -> int:
    return cue.facts.settings.alerts.missed_window_multiplier


def _until(watch: Watch, slot: datetime | None) -> Watch:
    return replace(watch, due_at=None if slot is None else slot + GRACE)
