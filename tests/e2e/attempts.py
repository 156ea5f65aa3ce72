"""What must hold in the history of any execution, whatever happened around it (design §7)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from libs.events.base import Event
from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptPostponed,
    AttemptStarted,
    AttemptSucceeded,
    DeliveryFailed,
    ExecutionCancelled,
    ExecutionClaimed,
    ExecutionMissed,
    ExecutionScheduled,
    LateResultRecorded,
    LeaseExpired,
    LeaseExtended,
    OutcomeDeadlinePassed,
    OutcomeReported,
)


def faults(events: Sequence[Event], most_attempts: int) -> Iterator[str]:
    """Say what is wrong with an execution's events: nothing, if the system is right."""
    if not isinstance(events[0], ExecutionScheduled):
        yield f"begins with {type(events[0]).__name__}"
        return
    walk = _Walk(events[0], most_attempts)
    for event in events[1:]:
        yield from walk.step(event)


# A report proves the delivery: the answer on the wire may still follow it, and so may the
# end of its cue. Nothing else ends twice.
_MAY_FOLLOW = {
    ("OutcomeReported", "AttemptSucceeded"),
    ("OutcomeReported", "ExecutionCancelled"),
}


class _Walk:
    """Goes through a history and remembers who held the execution, and what had ended."""

    def __init__(self, scheduled: ExecutionScheduled, most_attempts: int) -> None:
        self.most_attempts = most_attempts
        self.earliest: datetime | None = scheduled.due_at
        self.epoch = 0
        self.held_until: datetime | None = None
        self.over: list[str] = ["blocked"] if scheduled.blocked else []

    def step(self, event: Event) -> Iterator[str]:
        match event:
            case ExecutionScheduled():
                yield "is scheduled twice"
            case AttemptPostponed():
                yield from self._postponed(event)
            case AttemptStarted() | ExecutionClaimed():
                yield from self._begins(event)
            case LeaseExtended() | LeaseExpired() | AttemptLost():
                yield from self._leased(event)
            case AttemptSucceeded() | AttemptFailed() | LateResultRecorded():
                yield from self._answered(event)
            case DeliveryFailed() | ExecutionMissed() | ExecutionCancelled():
                yield from self._ends(type(event).__name__)
            case OutcomeReported() | OutcomeDeadlinePassed():
                yield from self._reported(event)
            case _:
                pass

    def _postponed(self, event: AttemptPostponed) -> Iterator[str]:
        if self.over or self.held_until is not None:
            yield f"an attempt is put off at {event.at}, when none is due"
        if self.earliest is None or event.due_at < self.earliest:
            yield f"an attempt is put off until {event.due_at}, before it was due"
        self.earliest = event.due_at

    def _begins(self, event: AttemptStarted | ExecutionClaimed) -> Iterator[str]:
        if event.epoch != self.epoch + 1:
            yield f"epoch {event.epoch} follows epoch {self.epoch}"
        if self.held_until is not None:
            yield f"epoch {event.epoch} begins while epoch {self.epoch} holds the lease"
        if self.over:
            yield f"epoch {event.epoch} begins after {self.over[-1]}"
        if self.earliest is None or event.at < self.earliest:
            yield f"epoch {event.epoch} begins at {event.at}, before it was due, {self.earliest}"
        if event.epoch > self.most_attempts:
            yield f"epoch {event.epoch} is more than the {self.most_attempts} attempts allowed"
        self.epoch, self.held_until = event.epoch, event.lease_until

    def _leased(self, event: LeaseExtended | LeaseExpired | AttemptLost) -> Iterator[str]:
        name = type(event).__name__
        if event.epoch != self.epoch or self.held_until is None:
            yield f"{name} of epoch {event.epoch}, which holds no lease"
            return
        if isinstance(event, LeaseExtended):
            self.held_until = event.lease_until
            return
        if event.at < self.held_until:
            yield f"{name} at {event.at}, before the lease ended, {self.held_until}"
        self.held_until = None
        self.earliest = event.retry_at if isinstance(event, AttemptLost) else event.due_at

    def _answered(
        self, event: AttemptSucceeded | AttemptFailed | LateResultRecorded
    ) -> Iterator[str]:
        if isinstance(event, LateResultRecorded):
            if event.epoch > self.epoch:
                yield f"a late result of epoch {event.epoch}, which never began"
            return
        if event.epoch != self.epoch:
            yield f"{type(event).__name__} of epoch {event.epoch} during epoch {self.epoch}"
        self.held_until = None
        if isinstance(event, AttemptSucceeded):
            yield from self._ends("AttemptSucceeded")
        else:
            self.earliest = event.retry_at

    def _ends(self, name: str) -> Iterator[str]:
        for end in self.over:
            if (end, name) not in _MAY_FOLLOW:
                yield f"{name} after {end}"
        self.over.append(name)

    def _reported(self, event: OutcomeReported | OutcomeDeadlinePassed) -> Iterator[str]:
        name = type(event).__name__
        if "OutcomeReported" in self.over or name in self.over:
            yield f"{name} after {self.over[-1]}"
        self.over.append(name)
        self.held_until = None
