"""How well the service has worked, judged by its canary cue. Pure.

The canary is due each minute and goes the whole way: it is fired, delivered, and its outcome is put
on record. Each run says something of each component; a minute without a run says that nothing was
fired, and nothing of what comes after.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

COMPONENTS = ("scheduling", "delivery", "outcomes")
DAYS = 90
INCIDENTS = 100

EVERY = timedelta(minutes=1)
FIRED_WITHIN = timedelta(seconds=10)
DELIVERED_WITHIN = timedelta(seconds=30)
SETTLED_WITHIN = timedelta(minutes=5)

_IN_A_ROW = 2
"""So many bad minutes in a row are an incident: one may be a deployment."""

_SILENCE = timedelta(seconds=150)
"""After so long without a run, the next one is not just late: the minutes count as bad."""


class Run(NamedTuple):
    """One run of the canary, as far as it has come."""

    due_at: datetime
    fired_at: datetime
    delivered_at: datetime | None
    reported: bool
    ended: bool


class Incident(NamedTuple):
    """Bad minutes in a row; `ended_at` None while they go on."""

    component: str
    began_at: datetime
    ended_at: datetime | None
    minutes: int


class Day(NamedTuple):
    """What was seen of a component on a day (UTC)."""

    date: date
    good: int
    bad: int

    @property
    def uptime(self) -> float | None:
        """The share of good minutes; None when nothing was seen."""
        seen = self.good + self.bad
        return self.good / seen if seen else None


@dataclass
class _Component:
    days: dict[date, list[int]] = field(default_factory=dict)
    bad_since: datetime | None = None
    bad_minutes: int = 0
    seen: bool = False


class Uptime:
    """Folds runs, in the order in which they were due, into days and incidents."""

    def __init__(self) -> None:
        self._components = {name: _Component() for name in COMPONENTS}
        self._incidents: deque[Incident] = deque(maxlen=INCIDENTS)
        self.last_due: datetime | None = None
        self.last_good: Run | None = None

    def add(self, run: Run) -> None:
        """Count one more run, and the minutes without any before it."""
        if self.last_due is not None and run.due_at <= self.last_due:
            return
        if self.last_due is not None:
            for n in range(_silent_minutes(self.last_due, run.due_at)):
                self._judge("scheduling", self.last_due + (n + 1) * EVERY, good=False)
        self.last_due = run.due_at
        verdicts = judged(run)
        for name, good in verdicts.items():
            self._judge(name, run.due_at, good=good)
        if all(verdicts.values()):
            self.last_good = run

    def status(self, name: str, now: datetime) -> str:
        """Say `operational`, `degraded`, `down`, or `unknown` before the first run."""
        component = self._components[name]
        if not component.seen or self.last_due is None:
            return "unknown"
        if now - self.last_due > _SILENCE:
            return "down" if name == "scheduling" else "unknown"
        if component.bad_minutes == 0:
            return "operational"
        return "degraded" if component.bad_minutes < _IN_A_ROW else "down"

    def days(self, name: str, today: date) -> list[Day]:
        """Give each of the last 90 days, oldest first."""
        seen = self._components[name].days
        dates = [today - timedelta(days=back) for back in reversed(range(DAYS))]
        return [Day(day, *seen.get(day, (0, 0))) for day in dates]

    def incidents(self, now: datetime) -> list[Incident]:
        """Give the incidents, latest first, those that go on among them."""
        going_on = []
        for name in COMPONENTS:
            component = self._components[name]
            began, minutes = component.bad_since, component.bad_minutes
            if (
                name == "scheduling"
                and self.last_due is not None
                and now - self.last_due > _SILENCE
            ):
                silent = _silent_minutes(self.last_due, now)
                began, minutes = began or self.last_due + EVERY, minutes + silent
            if began is not None and minutes >= _IN_A_ROW:
                going_on.append(Incident(name, began, None, minutes))
        oldest = now - timedelta(days=DAYS)
        past = (i for i in self._incidents if i.ended_at is not None and i.ended_at > oldest)
        return sorted([*going_on, *past], key=lambda i: i.began_at, reverse=True)

    def forget(self, today: date) -> None:
        """Drop the days before the last 90."""
        oldest = today - timedelta(days=DAYS)
        for component in self._components.values():
            for day in [day for day in component.days if day < oldest]:
                del component.days[day]

    def _judge(self, name: str, minute: datetime, *, good: bool) -> None:
        component = self._components[name]
        component.seen = True
        component.days.setdefault(minute.date(), [0, 0])[0 if good else 1] += 1
        if not good:
            component.bad_since = component.bad_since or minute
            component.bad_minutes += 1
            return
        if component.bad_since is not None and component.bad_minutes >= _IN_A_ROW:
            ended = Incident(name, component.bad_since, minute, component.bad_minutes)
            self._incidents.append(ended)
        component.bad_since, component.bad_minutes = None, 0


def judged(run: Run) -> dict[str, bool]:
    """Say which components did their part of a run in time."""
    delivered = run.delivered_at
    verdicts = {
        "scheduling": run.fired_at - run.due_at <= FIRED_WITHIN,
        "delivery": delivered is not None and delivered - run.fired_at <= DELIVERED_WITHIN,
    }
    # What was never delivered has no outcome, and that is not the outcomes' fault.
    return verdicts if delivered is None else {**verdicts, "outcomes": run.reported}


def settled(runs: Sequence[Run], now: datetime) -> list[Run]:
    """Give the runs up to the first one of which more may come."""
    done = []
    for run in runs:
        if not run.ended and now - run.fired_at < SETTLED_WITHIN:
            break
        done.append(run)
    return done


def _silent_minutes(last: datetime, following: datetime) -> int:
    """How many runs are missing between two; never more than the days that are kept."""
    return min(int((following - last) / EVERY) - 1, DAYS * 24 * 60)
