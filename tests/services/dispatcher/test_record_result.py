"""What a result of an attempt means, in time and late (contract §4, §6; design §2 rule 8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.base import Event
from libs.events.execution_events import (
    AttemptFailed,
    AttemptSucceeded,
    DeliveryFailed,
    ExecutionCancelled,
    LateResultRecorded,
    OutcomeDeadlinePassed,
)
from libs.events.execution_rows import (
    row,
    status,
)
from libs.events.executions import Report
from services.dispatcher.decider.attempts import (
    Acknowledged,
    NotAcknowledged,
    Result,
    record_result,
)
from tests.services.dispatcher.examples import (
    HOUR,
    LOST,
    MINUTE,
    NOON,
    SECOND,
    SETTINGS,
    STAGES,
    WEBHOOK,
    acknowledged,
    failed,
    reported,
    started,
    with_delivery,
    with_retry,
)
from tests.services.scheduler.deciding import Decided, events_of, given

NOW = NOON + SECOND
ACK = Acknowledged(http_status=204, response_ref="ab" * 32)
REPORT = Report(success=True, evidence=("external_id",))
REFUSED = NotAcknowledged(error="status", message="an error status (503)", http_status=503)
TIMED_OUT = NotAcknowledged(error="timeout", message="the callback timed out")
DELIVERING = (WEBHOOK, started())
RETRIED = (WEBHOOK, started(), failed(retry_at=NOON + MINUTE), started(epoch=2, at=NOON + MINUTE))


def when_answered(
    *past: Event,
    result: Result,
    epoch: int = 1,
    now: datetime = NOW,
    settings: Any = SETTINGS,
) -> Decided:
    return given(*past).when(
        lambda execution: record_result(execution, epoch, result, settings, now)
    )


def failure(result: NotAcknowledged, retry_at: datetime | None, epoch: int = 1) -> AttemptFailed:
    return AttemptFailed(
        at=NOW,
        epoch=epoch,
        error=result.error,
        message=result.message,
        http_status=result.http_status,
        retry_at=retry_at,
    )


@pytest.mark.parametrize("deadline", [1, 300, 3_600])
def test_an_ack_delivers_and_starts_the_wait_for_an_outcome(deadline: int) -> None:
    decided = when_answered(*DELIVERING, result=ACK, settings=with_delivery(deadline=deadline))
    decided.then(
        AttemptSucceeded(
            at=NOW,
            epoch=1,
            http_status=204,
            response_ref=ACK.response_ref,
            outcome_deadline_at=NOW + deadline * SECOND,
        )
    )
    delivered = given(*DELIVERING, *events_of(decided)).state
    assert status(delivered) == "success"
    assert delivered.facts.delivered_at == NOW
    assert row(delivered)["outcome_due_at"] == NOW + deadline * SECOND


def test_an_ack_with_an_outcome_waits_for_nothing() -> None:
    decided = when_answered(*DELIVERING, result=replace(ACK, report=REPORT))
    [event] = events_of(decided)
    assert (event.report, event.outcome_deadline_at) == (REPORT, None)
    assert row(given(*DELIVERING, event).state)["outcome_due_at"] == NOW


def test_an_outcome_reported_before_the_ack_stands() -> None:
    early = (*DELIVERING, reported(success=False))
    decided = when_answered(*early, result=replace(ACK, report=REPORT))
    [event] = events_of(decided)
    assert (event.report, event.outcome_deadline_at) == (None, None)
    execution = given(*early, event).state
    assert status(execution) == "success"
    assert execution.facts.outcome.report.success is False
    assert execution.facts.delivered_at == NOW
    assert row(execution)["outcome_due_at"] is None


@pytest.mark.parametrize("result", [REFUSED, TIMED_OUT])
def test_a_failed_attempt_is_tried_again_later(result: NotAcknowledged) -> None:
    decided = when_answered(*DELIVERING, result=result)
    decided.then(failure(result, NOW + MINUTE))
    execution = given(*DELIVERING, *events_of(decided)).state
    assert (status(execution), row(execution)["delivery_due_at"]) == ("retrying", NOW + MINUTE)
    assert execution.facts.http_status == result.http_status
    assert execution.facts.error_message == result.message


@pytest.mark.parametrize("result", [REFUSED, TIMED_OUT])
def test_the_last_failed_attempt_ends_the_delivery(result: NotAcknowledged) -> None:
    decided = when_answered(*DELIVERING, result=result, settings=with_retry(1))
    decided.then(failure(result, None), DeliveryFailed(at=NOW, attempts=1))
    execution = given(*DELIVERING, *events_of(decided)).state
    assert (status(execution), row(execution)["delivery_due_at"]) == ("failed", None)


def test_a_failure_after_an_early_outcome_starts_no_retry() -> None:
    early = (*DELIVERING, reported())
    decided = when_answered(*early, result=REFUSED)
    decided.then(failure(REFUSED, None))
    execution = given(*early, *events_of(decided)).state
    assert (status(execution), row(execution)["delivery_due_at"]) == ("success", None)


def test_a_longer_retry_after_is_waited_for() -> None:
    slower = replace(REFUSED, retry_after=90)
    when_answered(*DELIVERING, result=slower).then(failure(REFUSED, NOW + 90 * SECOND))


def test_the_retries_follow_the_cues_present_rule() -> None:
    when_answered(*DELIVERING, result=REFUSED, settings=with_retry(2, 7)).then(
        failure(REFUSED, NOW + 7 * MINUTE)
    )


def late(epoch: int, result: Result) -> LateResultRecorded:
    return LateResultRecorded(at=NOW, epoch=epoch, http_status=result.http_status)


@pytest.mark.parametrize("result", [ACK, REFUSED, TIMED_OUT])
def test_a_result_of_an_older_attempt_changes_nothing(result: Result) -> None:
    decided = when_answered(*RETRIED, result=result, epoch=1)
    decided.then(late(1, result))
    assert given(*RETRIED, *events_of(decided)).state == given(*RETRIED).state


def test_a_late_ack_counts_while_nothing_newer_has_begun() -> None:
    decided = when_answered(WEBHOOK, started(), LOST, result=ACK)
    execution = given(WEBHOOK, started(), LOST, *events_of(decided)).state
    assert status(execution) == "success"
    assert execution.facts.error_message is None


@pytest.mark.parametrize("result", [REFUSED, TIMED_OUT])
def test_a_late_failure_of_a_lost_attempt_is_noted_only(result: Result) -> None:
    when_answered(WEBHOOK, started(), LOST, result=result).then(late(1, result))


@pytest.mark.parametrize("result", [ACK, REFUSED])
@pytest.mark.parametrize(
    "past",
    [
        (*DELIVERING, acknowledged()),
        (*DELIVERING, acknowledged(), reported()),
        (*DELIVERING, acknowledged(), OutcomeDeadlinePassed(at=NOON + HOUR)),
        (*DELIVERING, failed(), DeliveryFailed(at=NOON, attempts=1)),
    ],
    ids=["delivered", "reported", "timed out", "failed"],
)
def test_a_second_result_of_an_ended_attempt_is_noted_only(
    past: tuple[Event, ...], result: Result
) -> None:
    decided = when_answered(*past, result=result)
    decided.then(late(1, result))
    assert given(*past, *events_of(decided)).state == given(*past).state


@pytest.mark.parametrize("result", [ACK, REFUSED])
@pytest.mark.parametrize("stage", ["pending", "delivering", "retrying", "lost"])
def test_a_result_for_a_deleted_cue_cancels_what_goes_on(stage: str, result: Result) -> None:
    when_answered(*STAGES[stage], result=result, settings=None).then(
        ExecutionCancelled(at=NOW, reason="cue_deleted")
    )


@pytest.mark.parametrize("result", [ACK, REFUSED])
@pytest.mark.parametrize(
    "stage", ["success", "reported early", "failed", "outcome_timeout", "cancelled"]
)
def test_a_result_for_a_deleted_cue_leaves_what_has_ended(stage: str, result: Result) -> None:
    when_answered(*STAGES[stage], result=result, settings=None).then()


def test_a_result_for_an_execution_that_is_not_there_is_dropped() -> None:
    when_answered(result=ACK).then()
    when_answered(*STAGES["cancelled"], result=ACK).then()
