from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from libs.events.base import Event
from libs.events.execution_events import AttemptStarted, DeliveryFailed, ExecutionCancelled
from services.dispatcher.decider.attempts import start_attempt
from tests.services.dispatcher.examples import (
    HOUR,
    MARGIN,
    MINUTE,
    NOON,
    SECOND,
    SETTINGS,
    STAGES,
    WEBHOOK,
    WEBHOOK_STAGES,
    failed,
    started,
    with_delivery,
    with_retry,
)
from tests.services.scheduler.deciding import Decided, given
from tests.services.scheduler.examples import fired

RETRYING = (WEBHOOK, started(), failed(retry_at=NOON + MINUTE))


def when_due(*past: Event, now: datetime = NOON, settings: Any = SETTINGS) -> Decided:
    return given(*past).when(lambda execution: start_attempt(execution, settings, now, MARGIN))


def test_a_due_execution_is_attempted() -> None:
    when_due(WEBHOOK).then(started())


@pytest.mark.parametrize("timeout", [1, 30, 3_600])
def test_the_lease_ends_a_margin_after_the_attempts_timeout(timeout: int) -> None:
    until = NOON + timeout * SECOND + MARGIN
    when_due(WEBHOOK, settings=with_delivery(timeout=timeout)).then(
        AttemptStarted(at=NOON, epoch=1, lease_until=until)
    )


def test_an_execution_is_not_attempted_before_it_is_due() -> None:
    held = fired(NOON, due_at=NOON + HOUR, triggered_by="manual_fire")
    when_due(held, now=NOON + HOUR - SECOND).then()
    when_due(held, now=NOON + HOUR).then(started(at=NOON + HOUR))


def test_a_retry_has_the_next_epoch_and_waits_until_it_is_due() -> None:
    when_due(*RETRYING, now=NOON + MINUTE - SECOND / 1_000_000).then()
    when_due(*RETRYING, now=NOON + MINUTE).then(started(epoch=2, at=NOON + MINUTE))


def test_the_first_start_is_kept_by_retries() -> None:
    facts = given(*RETRYING, started(epoch=2, at=NOON + MINUTE)).state.facts
    assert (facts.started_at, facts.last_attempt_at) == (NOON, NOON + MINUTE)
    assert (facts.attempts, facts.attempts_ended) == (2, 1)


def test_an_execution_of_a_deleted_cue_is_cancelled() -> None:
    cancelled = ExecutionCancelled(at=NOON + HOUR, reason="cue_deleted")
    when_due(WEBHOOK, now=NOON + HOUR, settings=None).then(cancelled)
    when_due(*RETRYING, now=NOON + HOUR, settings=None).then(cancelled)


def test_fewer_attempts_than_were_made_leave_no_other() -> None:
    later = NOON + HOUR
    when_due(*RETRYING, now=later, settings=with_retry(1)).then(
        DeliveryFailed(at=later, attempts=1)
    )
    when_due(*RETRYING, now=later, settings=with_retry(2)).then(started(epoch=2, at=later))


WAITING = ("pending", "retrying", "lost")


@pytest.mark.parametrize("stage", [name for name in STAGES if name not in WAITING])
@pytest.mark.parametrize("settings", [SETTINGS, None], ids=["", "deleted"])
def test_no_other_execution_is_attempted(stage: str, settings: Any) -> None:
    when_due(*STAGES[stage], now=NOON + 48 * HOUR, settings=settings).then()


@pytest.mark.parametrize("stage", [name for name in WEBHOOK_STAGES if name not in WAITING])
def test_what_is_not_waiting_is_not_due(stage: str) -> None:
    when_due(*STAGES[stage], now=NOON).then()
