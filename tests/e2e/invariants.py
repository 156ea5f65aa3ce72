"""The invariants of design §7, checked over the log, the clients' history and the receiver."""

from collections import Counter
from collections.abc import Iterator

from deploy.local.stack import Stack
from libs.events.alerts import AlertRaised
from libs.events.cues import (
    CueDeleted,
)
from libs.events.execution_events import ExecutionScheduled, OutcomeDeadlinePassed
from libs.events.rebuild import verify
from libs.runtime.postgres import Database
from tests.e2e import arrivals, attempts, canaries, ledger, promises
from tests.e2e.history import History
from tests.e2e.receiver import Receiver
from tests.e2e.snapshot import Snapshot, snapshot
from tests.e2e.waiting import eventually

_SHOWN = 20


async def check(
    stack: Stack, database: Database, history: History, receiver: Receiver, told: set[str]
) -> Snapshot:
    """Raise an AssertionError unless all invariants hold; wait for what is still to be done.

    What must never be wrong is looked at once, at the end, and what is wrong is told once: it
    goes into `told`. Gives what was looked at.
    """
    left: list[str] = []
    so_far = History()

    async def finished() -> Snapshot | None:
        # What was promised before the look must be in it.
        so_far.exchanges[:] = history.exchanges
        now = await snapshot(database)
        left[:] = unfinished(now)
        return None if left else now

    try:
        now = await eventually(finished, "everything due is done")
    except AssertionError as error:
        raise AssertionError(f"{error}: {_shown(left)}") from None
    wrong = {
        *broken(now),
        *promises.broken(so_far, now),
        *arrivals.faults(receiver.arrivals, now),
        *canaries.leaks(stack, so_far),
        *(f"{d.table} {d.key} is not what its events say: {d}" for d in await verify(database)),
    }
    new = sorted(wrong - told)
    told |= wrong
    assert not new, _shown(new)
    return now


def broken(now: Snapshot) -> Iterator[str]:
    """Say what is wrong in the database, and no waiting can make right."""
    for stream, entries in now.streams.items():
        versions = [entry.version for entry in entries]
        if versions != list(range(1, len(versions) + 1)):
            yield f"{stream} has the versions {versions}"
    for stream, events in now.of_category("execution").items():
        scheduled = events[0]
        assert isinstance(scheduled, ExecutionScheduled)
        for fault in attempts.faults(events, now.most_attempts(scheduled.cue_id)):
            yield f"{stream} {fault}: {[type(event).__name__ for event in events]}"
    yield from _slots(now, too_many=True)
    yield from _usage(now)
    yield from _alerts(now)
    yield from now.leaks
    yield from (f"parked: {message}" for message in now.parked)


def unfinished(now: Snapshot) -> Iterator[str]:
    """Say what is still to be done, and will be in a moment if the system is right."""
    yield from (f"overdue: {execution}" for execution in now.overdue)
    yield from (f"not settled: {cue}" for cue in now.unsettled)
    yield from _slots(now, too_many=False)
    yield from _silent_deadlines(now)
    if now.untold:
        yield f"{now.untold} events are not published"


def _slots(now: Snapshot, *, too_many: bool) -> Iterator[str]:
    """Every due slot is an execution or is skipped on record: exactly one of them, once."""
    fired = now.fired()
    for stream, events in now.of_category("cue").items():
        executions = fired.get(stream.partition("-")[2], [])
        for stretch in ledger.stretches(events, now.now):
            for slot in ledger.slots(stretch):
                made, skipped = ledger.ends(slot, events, executions)
                if made + skipped > 1 if too_many else made + skipped < 1:
                    yield f"slot {slot} of {stream}: {made} executions, {skipped} skips"


def _usage(now: Snapshot) -> Iterator[str]:
    counted = Counter(
        (event.account_id, event.at.date().replace(day=1))
        for event in now.all(ExecutionScheduled)
        if event.blocked is None
    )
    if counted != Counter(now.usage):
        yield f"usage is {now.usage}, the executions are {counted}"


def _alerts(now: Snapshot) -> Iterator[str]:
    raised = now.all(AlertRaised)
    episodes = Counter((alert.cue_id, alert.kind, alert.episode) for alert in raised)
    once = Counter(
        (alert.execution_id, alert.kind, "") for alert in raised if alert.kind == "outcome_timeout"
    )
    for episode, times in [*episodes.items(), *once.items()]:
        if times > 1:
            yield f"{times} alerts were raised for {episode}"


def _silent_deadlines(now: Snapshot) -> Iterator[str]:
    told = {a.execution_id for a in now.all(AlertRaised) if a.kind == "outcome_timeout"}
    gone = {
        stream.partition("-")[2]
        for stream, events in now.of_category("cue").items()
        if isinstance(events[-1], CueDeleted)
    }
    for events in now.of_category("execution").values():
        scheduled = events[0]
        assert isinstance(scheduled, ExecutionScheduled)
        passed = any(isinstance(event, OutcomeDeadlinePassed) for event in events)
        if passed and scheduled.execution_id not in told and scheduled.cue_id not in gone:
            yield f"no alert tells that {scheduled.execution_id} has no outcome"


def _shown(lines: list[str]) -> str:
    more = f"\n… and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "\n" + "\n".join(lines[:_SHOWN]) + more
