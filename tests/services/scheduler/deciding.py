"""Given what happened, when this is decided, then that follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from libs.events.base import Event, Rejection


@dataclass(frozen=True)
class Decided:
    """A decision, to be compared with what was expected."""

    decision: Any

    def then(self, *events: Event) -> None:
        assert _listed(self.decision) == list(events)

    def then_refused(self, code: str) -> None:
        assert isinstance(self.decision, Rejection), self.decision
        assert self.decision.code == code
        assert self.decision.message


@dataclass(frozen=True)
class Given:
    """A state, as the events of its past have left it; None when there were none."""

    state: Any

    def when(self, decide: Callable[[Any], Any]) -> Decided:
        return Decided(decide(self.state))


def given(evolve: Callable[[Any, Any], Any], *events: Event) -> Given:
    return Given(reduce(evolve, events, None))


def _listed(decision: Any) -> list[Event]:
    assert not isinstance(decision, Rejection), decision
    return list(decision) if isinstance(decision, Sequence) else [decision]
