"""What must be true of an execution's history, told from its events alone.

Written without the folds it checks: each promise counts for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from libs.events.base import Event, Transport
from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptPostponed,
    AttemptStarted,
    AttemptSucceeded,
    DeliveryFailed,
    ExecutionClaimed,
    ExecutionMissed,
    ExecutionScheduled,
    LeaseExpired,
    OutcomeDeadlinePassed,
    OutcomeReported,
)
from libs.events.execution_rows import (
    TERMINAL,
    status,
)
from libs.events.execution_states import (
    evolve,
)

# An ended execution moves on only by silence after delivery, and by a late outcome.
LATER: Mapping[str, frozenset[str]] = {
    "success": frozenset({"success", "outcome_timeout"}),
    "failed": frozenset({"failed", "success"}),
    "missed": frozenset({"missed", "success", "failed"}),
    "outcome_timeout": frozenset({"outcome_timeout", "success", "failed"}),
    "cancelled": frozenset({"cancelled"}),
}
ENDS_DELIVERY = (
    AttemptSucceeded,
    DeliveryFailed,
    ExecutionMissed,
    OutcomeReported,
    OutcomeDeadlinePassed,
)


def check(history: Sequence[Event]) -> None:
    """Check every promise; raises AssertionError."""
    statuses = stages(history)
    ended_stays_ended(statuses)
    outcome_is_written_once(history)
    epochs_are_dense_and_leases_do_not_overlap(history)
    nothing_starts_before_it_is_due(history)
    nothing_starts_after_an_end(history)
    time_goes_on(history)


def stages(history: Sequence[Event]) -> list[str]:
    """Give the status after each event."""
    state, found = None, []
    for event in history:
        state = evolve(state, event)  # type: ignore[arg-type]
        found.append(status(state))
    return found


def ended_stays_ended(statuses: Sequence[str]) -> None:
    for before, after in pairwise(statuses):
        if before in LATER:
            assert after in LATER[before], f"{before} became {after}"
        assert before not in TERMINAL or after in TERMINAL


def outcome_is_written_once(history: Sequence[Event]) -> None:
    assert sum(isinstance(event, OutcomeReported) for event in history) <= 1


def epochs_are_dense_and_leases_do_not_overlap(history: Sequence[Event]) -> None:
    begun, open_epoch = 0, None
    for event in history:
        match event:
            case AttemptStarted(epoch=epoch) | ExecutionClaimed(epoch=epoch):
                assert open_epoch is None, f"{epoch} began while {open_epoch} was on"
                assert epoch == begun + 1
                begun = open_epoch = epoch
            case AttemptFailed() | AttemptLost() | AttemptSucceeded() | LeaseExpired():
                assert event.epoch <= begun
                if event.epoch == open_epoch:
                    open_epoch = None
            case OutcomeReported() | OutcomeDeadlinePassed():
                open_epoch = None
            case _:
                pass


def nothing_starts_before_it_is_due(history: Sequence[Event]) -> None:
    due: datetime | None = None
    for event in history:
        match event:
            case AttemptPostponed():
                assert due is not None
                assert event.at >= due, "what was not due was put off"
                due = event.due_at
            case ExecutionScheduled() | LeaseExpired():
                due = event.due_at
            case AttemptFailed() | AttemptLost():
                due = event.retry_at
            case AttemptStarted() | ExecutionClaimed():
                assert due is not None
                assert event.at >= due
            case _:
                pass


def nothing_starts_after_an_end(history: Sequence[Event]) -> None:
    ended = False
    for event in history:
        ended = ended or isinstance(event, ENDS_DELIVERY)
        assert not (ended and isinstance(event, AttemptStarted | ExecutionClaimed))


def time_goes_on(history: Sequence[Event]) -> None:
    assert all(earlier.at <= later.at for earlier, later in pairwise(history))


def runs(history: Sequence[Event]) -> int:
    """Count runs as contract §2 does: attempts that ended, or outcomes of a worker."""
    first = history[0]
    assert isinstance(first, ExecutionScheduled)
    if first.transport is Transport.WORKER:
        return sum(isinstance(event, OutcomeReported) for event in history)
    ends = (AttemptSucceeded, AttemptFailed, AttemptLost)
    return len({event.epoch for event in history if isinstance(event, ends)})


def last_run(history: Sequence[Event]) -> datetime | None:
    """Say when the execution last became `success`, `failed` or `missed`."""
    found, before = None, ""
    for event, now in zip(history, stages(history), strict=True):
        if now in ("success", "failed", "missed") and now != before:
            found = event.at
        before = now
    return found
