from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from libs.events.base import Event
from libs.events.execution_events import AttemptLost, DeliveryFailed, ExecutionCancelled
from services.dispatcher.decider.attempts import lose_attempt
from tests.services.dispatcher.examples import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SETTINGS,
    STAGES,
    WEBHOOK,
    failed,
    started,
    with_retry,
)
from tests.services.scheduler.deciding import Decided, given

LEASE_ENDS = NOON + 40 * SECOND


def when_silent(*past: Event, now: datetime = LEASE_ENDS, settings: Any = SETTINGS) -> Decided:
    return given(*past).when(lambda execution: lose_attempt(execution, settings, now))


def test_an_attempt_whose_lease_has_ended_is_tried_again_after_its_backoff() -> None:
    when_silent(WEBHOOK, started()).then(
        AttemptLost(at=LEASE_ENDS, epoch=1, retry_at=LEASE_ENDS + MINUTE)
    )


def test_an_attempt_is_not_lost_while_its_lease_holds() -> None:
    when_silent(WEBHOOK, started(), now=LEASE_ENDS - SECOND).then()


def test_losing_the_last_attempt_ends_the_delivery() -> None:
    when_silent(WEBHOOK, started(), settings=with_retry(1)).then(
        AttemptLost(at=LEASE_ENDS, epoch=1), DeliveryFailed(at=LEASE_ENDS, attempts=1)
    )


def test_an_attempt_of_a_deleted_cue_is_cancelled() -> None:
    when_silent(WEBHOOK, started(), settings=None).then(
        ExecutionCancelled(at=LEASE_ENDS, reason="cue_deleted")
    )


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "delivering"])
@pytest.mark.parametrize("settings", [SETTINGS, None], ids=["", "deleted"])
def test_only_an_attempt_on_the_wire_can_be_lost(stage: str, settings: Any) -> None:
    when_silent(*STAGES[stage], now=NOON + 48 * HOUR, settings=settings).then()


def test_a_lost_attempt_has_no_answer() -> None:
    past = (WEBHOOK, started(), failed(retry_at=NOON + MINUTE), started(epoch=2, at=NOON + MINUTE))
    assert given(*past).state.facts.http_status == 500
    facts = given(*past, AttemptLost(at=NOON + HOUR, epoch=2)).state.facts
    assert facts.http_status is None
    assert facts.error_message
