"""What must be true when a world has come to rest (design §7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from libs.events import cues, executions
from libs.events.alerts import AlertRaised
from libs.events.answers import ClaimAnswer, CueAnswer, ExecutionAnswer, OutcomeAnswer
from libs.events.base import Event, category_of, key_of
from libs.events.counters import usage
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    CueCreated,
    CueDeleted,
    CuePaused,
    CueResumed,
    CueUpdated,
    SlotsSkipped,
)
from libs.events.envelope import Recorded, decode, encode
from libs.events.execution_commands import (
    AppendEvidence,
    ClaimExecution,
    ClaimNextExecution,
    ReportOutcome,
)
from libs.events.execution_events import (
    AttemptStarted,
    ExecutionClaimed,
    ExecutionScheduled,
    OutcomeDeadlinePassed,
)
from libs.events.execution_rows import (
    status,
)
from libs.events.streams import CATEGORIES
from tests.e2e import attempts
from tests.simulation.broker import Asked
from tests.simulation.oracle import Oracle
from tests.simulation.receivers import Posted
from tests.simulation.store import DUE_TABLES, Store

SLACK = timedelta(seconds=5)
"""What was due less than this before the end may still be under way."""

OPEN = ("pending", "delivering", "retrying")
CANARY = b"canary"


class Ended:
    """A world at its end: what it holds, what its users were told, and what its receivers got."""

    def __init__(
        self, store: Store, oracle: Oracle, asked: Sequence[Asked], posted: Sequence[Posted]
    ) -> None:
        self.store = store
        self.oracle = oracle
        self.asked = asked
        self.posted = posted
        self.now = store.clock()
        self.streams: dict[str, list[Event]] = {
            name: [item.event for item in items] for name, items in store.histories.items()
        }

    def of(self, category: str) -> dict[str, list[Event]]:
        """Give the streams of a category, by key."""
        return {
            key_of(name): events
            for name, events in self.streams.items()
            if category_of(name) == category
        }


def faults(world: Ended) -> Iterator[str]:
    """Say everything that is wrong; nothing, if the system is right."""
    yield from _versions(world)
    yield from _slots(world)
    yield from _attempts(world)
    yield from _posts(world)
    yield from _stuck(world)
    yield from _rows(world)
    yield from _usage(world)
    yield from _alerts(world)
    yield from _promises(world)
    if CANARY in encode([item.event for item in world.store.events]):
        yield "a secret is in the log"


def _versions(world: Ended) -> Iterator[str]:
    for name, items in world.store.histories.items():
        if [item.version for item in items] != list(range(1, len(items) + 1)):
            yield f"{name} has the versions {[item.version for item in items]}"


def _slots(world: Ended) -> Iterator[str]:
    fired: dict[str, Counter[datetime]] = {}
    for events in world.of("execution").values():
        first = events[0]
        assert isinstance(first, ExecutionScheduled)
        if first.triggered_by in ("scheduled", "catch_up"):
            fired.setdefault(first.cue_id, Counter())[first.scheduled_for] += 1
    for key, events in world.of("cue").items():
        until = world.now - SLACK
        due = Counter(
            slot
            for schedule, since, end in _stretches(events, until)
            for slot in world.oracle.slots(schedule, since, end)
        )
        made = Counter({at: n for at, n in fired.get(key, Counter()).items() if at <= until})
        skipped: Counter[datetime] = Counter()
        for event in events:
            if isinstance(event, SlotsSkipped) and event.last <= until:
                within = [slot for slot in due if event.first <= slot <= event.last]
                skipped.update(within)
                if len(within) != event.count:
                    yield f"{key} skips {event.count} of {len(within)} slots: {event}"
        if made + skipped != due:
            for slot in sorted((made + skipped | due).keys()):
                if made[slot] + skipped[slot] != due[slot]:
                    yield (
                        f"slot {slot} of {key} is due {due[slot]} times:"
                        f" {made[slot]} executions, {skipped[slot]} skips"
                    )


def _stretches(
    events: Sequence[Event], now: datetime
) -> Iterator[tuple[Schedule, datetime, datetime]]:
    """Give the times for which a cue's slots are on record by now, each with its schedule.

    What passes during a pause is on record when the pause ends.
    """
    schedule: Schedule | None = None
    since = now
    paused: datetime | None = None
    for event in events:
        match event:
            case CueCreated():
                schedule, since = event.settings.schedule, event.at
            case CueUpdated() if event.settings.schedule != schedule:
                assert schedule is not None
                yield schedule, since, event.at
                schedule, since = event.settings.schedule, event.at
                paused = event.at if paused else None
            case CuePaused():
                paused = event.at
            case SlotsSkipped() if paused:
                paused = event.at
            case CueResumed():
                paused = None
            case CueDeleted():
                paused = event.at
            case _:
                pass
    if schedule is not None:
        yield schedule, since, min(paused or now, now)


def _attempts(world: Ended) -> Iterator[str]:
    most = {
        key: max(
            event.settings.retry.max_attempts
            for event in events
            if isinstance(event, CueCreated | CueUpdated)
        )
        for key, events in world.of("cue").items()
    }
    for key, events in world.of("execution").items():
        first = events[0]
        assert isinstance(first, ExecutionScheduled)
        for fault in attempts.faults(events, most[first.cue_id]):
            yield f"execution {key} {fault}"


def _posts(world: Ended) -> Iterator[str]:
    posts = Counter((post.execution_id, post.epoch) for post in world.posted)
    started = {
        (key, event.epoch)
        for key, events in world.of("execution").items()
        for event in events
        if isinstance(event, AttemptStarted)
    }
    for (key, epoch), times in posts.items():
        if times > 1 or (key, epoch) not in started:
            yield f"attempt {epoch} of execution {key} was posted {times} times"


def _stuck(world: Ended) -> Iterator[str]:
    store = world.store
    for (category, column), dues in store.searched.items():
        for key, due in dues.items():
            if due < world.now - SLACK and column != "claimable_at":
                yield f"{category} {key} is stuck: its {column} was {due}"
    for key in world.of("execution"):
        execution = store.state("execution", key)
        if status(execution) in OPEN and key not in store.searched["execution", "delivery_due_at"]:
            yield f"execution {key} is {status(execution)}, and nothing will wake it"
    for table in DUE_TABLES:
        for row in store.tables.get(table, {}).values():
            if row["due_at"] is not None and row["due_at"] < world.now - SLACK:
                yield f"a row of {table} is stuck: {row}"
    yield from _unsettled(world)


def _unsettled(world: Ended) -> Iterator[str]:
    store = world.store
    for key in store.settling:
        cue = store.state("cue", key)
        run = store.state("execution", cue.facts.scheduled_id or "")
        ended = run is not None and status(run) not in (*OPEN, "cancelled")
        if isinstance(cue, cues.ActiveCue) and ended and run.facts.updated_at < world.now - SLACK:
            yield f"cue {key} is active after its one run has ended"


def _rows(world: Ended) -> Iterator[str]:
    states: dict[tuple[str, str], Any] = {}
    for item in world.store.events:
        name = (item.category, item.key)
        states[name] = CATEGORIES[item.category].evolve(states.get(name), item.event)
        if isinstance(item.event, ExecutionScheduled):
            cue = (cues.CATEGORY, item.event.cue_id)
            states[cue] = cues.evolve(states[cue], item.event)
    for name in sorted(states.keys() | world.store.streams.keys()):
        held = world.store.streams.get(name)
        if held is None or held.state != states.get(name):
            yield f"the row of {name} is not what its events say: {held}, {states.get(name)}"


def _usage(world: Ended) -> Iterator[str]:
    counted = usage((item.account_id, item.event) for item in world.store.events)
    wanted = {(c.account_id, c.period): c for c in counted}
    found = {name: part for name, part in world.store.usage.items() if part.executions}
    if wanted != found:
        yield f"usage is {found}, the executions are {wanted}"


def _alerts(world: Ended) -> Iterator[str]:
    raised = [e for events in world.of("alert").values() for e in events[:1]]
    told: Counter[tuple[str, str, str | None]] = Counter()
    episodes: Counter[tuple[str, str, str]] = Counter()
    for event in raised:
        assert isinstance(event, AlertRaised)
        episodes[event.cue_id, event.kind, event.episode] += 1
        if event.kind == "outcome_timeout":
            told[event.cue_id, event.kind, event.execution_id] += 1
    for episode, times in [*episodes.items(), *told.items()]:
        if times > 1:
            yield f"{times} alerts were raised for {episode}"
    for key, events in world.of("execution").items():
        cue_id = world.store.state(executions.CATEGORY, key).facts.cue_id
        gone = isinstance(world.store.state(cues.CATEGORY, cue_id), cues.DeletedCue)
        passed = [event for event in events if isinstance(event, OutcomeDeadlinePassed)]
        late = passed and passed[0].at < world.now - timedelta(minutes=5)
        if late and not gone and (cue_id, "outcome_timeout", key) not in told:
            yield f"no alert tells that execution {key} has no outcome"


def _promises(world: Ended) -> Iterator[str]:
    for asked in world.asked:
        if not asked.reply.replayed and asked.reply.command_id not in world.store.results:
            yield f"2xx without a record: {asked}"
        elif not _kept(asked, world):
            yield f"2xx is not in the log: {asked}"


def _kept(asked: Asked, world: Ended) -> bool:
    answer = bytes(asked.reply.answer)
    match asked.command:
        case cues.CreateCue() | cues.UpdateCue() | cues.DeleteCue():
            told = decode(answer, CueAnswer)
            return told.version <= len(world.streams.get(f"cue-{told.cue_id}", ()))
        case cues.FireCue() | cues.ReplayExecution():
            made = decode(answer, ExecutionAnswer).execution_id
            return f"execution-{made}" in world.streams
        case ClaimExecution() | ClaimNextExecution():
            claim = decode(answer, ClaimAnswer)
            return any(
                isinstance(event, ExecutionClaimed)
                and (event.epoch, event.worker_id) == (claim.attempt, claim.worker_id)
                for event in world.streams.get(f"execution-{claim.execution_id}", ())
            )
        case ReportOutcome() | AppendEvidence():
            execution = world.store.state("execution", decode(answer, OutcomeAnswer).execution_id)
            outcome = execution.facts.outcome if execution is not None else None
            success = isinstance(asked.command, ReportOutcome) and asked.command.report.success
            wanted = (success,) if isinstance(asked.command, ReportOutcome) else (True, False)
            return outcome is not None and outcome.report.success in wanted
        case _:
            return True


def cue_days(recorded: Sequence[Recorded], now: datetime) -> float:
    """Count the days for which cues were declared."""
    days = 0.0
    for item in recorded:
        if isinstance(item.event, CueCreated):
            days += (now - item.event.at) / timedelta(days=1)
        if isinstance(item.event, CueDeleted):
            days -= (now - item.event.at) / timedelta(days=1)
    return days
