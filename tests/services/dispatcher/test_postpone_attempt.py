"""An attempt whose destination fails waits: longer and longer, for a bounded time, and truly."""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.events.base import Event
from libs.events.execution_events import AttemptPostponed
from libs.events.execution_rows import (
    row,
    status,
)
from services.dispatcher.decider.attempts import (
    LONGEST_POSTPONED,
    postpone_attempt,
    start_attempt,
)
from tests.services.dispatcher.examples import (
    MARGIN,
    MINUTE,
    NOON,
    SECOND,
    SETTINGS,
    WEBHOOK,
    failed,
    started,
)
from tests.services.scheduler.deciding import Decided, given

RETRYING = (WEBHOOK, started(), failed(retry_at=NOON + MINUTE))


def when_waiting(*past: Event, wait: timedelta = 8 * SECOND, now: datetime = NOON) -> Decided:
    def decide(execution: object) -> list[AttemptPostponed]:
        verdict = postpone_attempt(execution, wait, now)  # type: ignore[arg-type]
        return [verdict] if verdict else []

    return given(*past).when(decide)


def until(instant: datetime, at: datetime = NOON) -> AttemptPostponed:
    return AttemptPostponed(at=at, due_at=instant)


def test_a_first_attempt_is_put_off() -> None:
    when_waiting(WEBHOOK).then(until(NOON + 8 * SECOND))
    waiting = given(WEBHOOK, until(NOON + 8 * SECOND)).state
    assert (status(waiting), row(waiting)["delivery_due_at"]) == ("pending", NOON + 8 * SECOND)


def test_a_retry_is_put_off_and_uses_up_no_attempt() -> None:
    now = NOON + MINUTE
    when_waiting(*RETRYING, now=now).then(until(now + 8 * SECOND, at=now))
    waiting = given(*RETRYING, until(now + 8 * SECOND, at=now)).state
    assert (status(waiting), waiting.facts.attempts) == ("retrying", 1)
    assert row(waiting)["delivery_due_at"] == now + 8 * SECOND
    [begun] = start_attempt(waiting, SETTINGS, now + 8 * SECOND, MARGIN)
    assert given(*RETRYING, until(now, at=now), begun).state.facts.attempts == 2


def test_it_is_not_attempted_before_its_new_time() -> None:
    waiting = given(WEBHOOK, until(NOON + 8 * SECOND)).state
    assert start_attempt(waiting, SETTINGS, NOON + 7 * SECOND, MARGIN) == []


def test_what_has_waited_waits_for_as_long_again() -> None:
    now = NOON + 20 * SECOND
    when_waiting(WEBHOOK, until(now), wait=SECOND, now=now).then(until(now + 20 * SECOND, at=now))


def test_and_never_for_more_than_a_minute_more_than_it_must() -> None:
    now = NOON + 3 * MINUTE
    when_waiting(WEBHOOK, until(now), wait=SECOND, now=now).then(until(now + MINUTE, at=now))


def test_what_has_waited_long_enough_is_attempted_whatever_happens() -> None:
    ripe = NOON + LONGEST_POSTPONED
    soon = ripe - SECOND
    when_waiting(WEBHOOK, until(soon), now=soon).then(until(ripe, at=soon))
    when_waiting(WEBHOOK, until(soon), until(ripe, at=soon), now=ripe).then()


def test_the_next_attempt_waits_anew() -> None:
    later = NOON + LONGEST_POSTPONED
    past = (WEBHOOK, until(later), started(at=later), failed(at=later, retry_at=later + MINUTE))
    now = later + MINUTE
    when_waiting(*past, now=now).then(until(now + 8 * SECOND, at=now))


def test_few_events_tell_of_a_long_wait() -> None:
    events: list[Event] = [WEBHOOK]
    now = NOON
    while postponed := postpone_attempt(given(*events).state, SECOND, now):
        events.append(postponed)
        now = postponed.due_at
    assert now == NOON + LONGEST_POSTPONED
    assert len(events) <= 12
