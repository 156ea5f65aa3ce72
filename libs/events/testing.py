"""For tests: given-when-then around a decider.

`given(example(CueCreated)).when(lambda cue: pause(cue, now)).then(CuePaused(at=now))`; the messages
to start from lie in `libs.events.examples`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, overload

from libs.events import accounts, alerts, cues, execution_events, executions
from libs.events.base import Event, Rejection
from libs.events.streams import CATEGORIES, CATEGORY_OF_EVENT

S = TypeVar("S")

Verdict: TypeAlias = Event | Rejection | Sequence[Event]


class Decided:
    """What a decision came to."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def then(self, *expected: Event | Rejection) -> None:
        """Check that it decided for exactly these events, or a refusal with this one's code."""
        if isinstance(self.verdict, Rejection):
            codes = [part.code for part in expected if isinstance(part, Rejection)]
            assert [self.verdict.code] == codes, f"{self.verdict} instead of {expected}"
            return
        found = [self.verdict] if isinstance(self.verdict, Event) else list(self.verdict)
        assert found == list(expected), f"{found} instead of {list(expected)}"


class Given(Generic[S]):
    """A stream's state."""

    def __init__(self, state: S) -> None:
        self.state = state

    def when(self, decide: Callable[[S], Verdict]) -> Decided:
        """Decide on the state."""
        return Decided(decide(self.state))


@overload
def given() -> Given[None]: ...
@overload
def given(
    first: cues.CueCreated, /, *rest: cues.CueEvent | execution_events.ExecutionScheduled
) -> Given[cues.Cue]: ...
@overload
def given(
    first: execution_events.ExecutionScheduled, /, *rest: execution_events.ExecutionEvent
) -> Given[executions.Execution]: ...
@overload
def given(first: alerts.AlertRaised, /, *rest: alerts.AlertEvent) -> Given[alerts.Alert]: ...
@overload
def given(
    first: accounts.AccountRegistered, /, *rest: accounts.AccountEvent
) -> Given[accounts.Account]: ...


def given(*events: Event) -> Given[Any]:
    """Fold a stream's events, from its first, into the state that a decision is made on.

    No events give None, the state of a stream that has not begun.
    """
    state = None
    for event in events:
        category = CATEGORIES[CATEGORY_OF_EVENT[type(events[0]).__name__]]
        state = category.evolve(state, event)
    return Given(state)
