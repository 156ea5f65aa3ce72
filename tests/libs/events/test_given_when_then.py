"""The given-when-then that deciders are tested with fails when it should."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from libs.events.base import Rejection
from libs.events.cues import (
    ActiveCue,
    Cue,
    CueCreated,
    CuePaused,
    CueResumed,
    PausedCue,
)
from libs.events.examples import AT, example
from libs.events.execution_events import ExecutionScheduled
from libs.events.executions import Pending
from libs.events.testing import Verdict, given

REFUSAL = Rejection(code="no_such_cue", message="there is no such cue")


def toggle(cue: Cue | None) -> Verdict:
    match cue:
        case ActiveCue():
            return CuePaused(at=AT)
        case PausedCue():
            return [CueResumed(at=AT, next_run=None)]
        case _:
            return REFUSAL


def test_events_are_folded_into_the_state_that_is_decided_on() -> None:
    given(example(CueCreated)).when(toggle).then(CuePaused(at=AT))
    given(example(CueCreated), CuePaused(at=AT)).when(toggle).then(CueResumed(at=AT, next_run=None))


def test_no_events_are_a_stream_that_has_not_begun() -> None:
    given().when(toggle).then(Rejection(code="no_such_cue", message="in other words"))


def test_a_cue_folds_its_fires_too() -> None:
    fired = given(example(CueCreated), example(ExecutionScheduled))
    assert fired.state.facts.fired_count == 1


def test_an_execution_stream_starts_with_its_schedule() -> None:
    assert isinstance(given(example(ExecutionScheduled)).state, Pending)


def test_other_events_than_expected_fail() -> None:
    decided = given(example(CueCreated)).when(toggle)
    for expected in ([], [REFUSAL], [replace(CuePaused(at=AT), reason="plan")]):
        with pytest.raises(AssertionError):
            decided.then(*expected)


def test_another_refusal_than_expected_fails() -> None:
    decided = given().when(toggle)
    for expected in ([], [replace(REFUSAL, code="other")], [CuePaused(at=AT)]):
        with pytest.raises(AssertionError):
            decided.then(*expected)
