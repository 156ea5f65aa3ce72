"""Execution.status of contract §4 as a table: from each stage, by each event, to which.

What is not in the table changes no status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from libs.events.base import Event, Rejection, VerificationMode
from libs.events.execution_commands import RequestVerification, VerifyOutcome
from libs.events.execution_rows import (
    status,
)
from libs.events.executions import Report
from services.dispatcher.decider.attempts import (
    Acknowledged,
    NotAcknowledged,
    lose_attempt,
    record_result,
    start_attempt,
)
from services.dispatcher.decider.claims import LeaseTerms, claim, end_lease, extend_lease, miss
from services.outcomes.decider import (
    append_evidence,
    due,
    report_outcome,
    request_verification,
    verify_outcome,
)
from tests.services.dispatcher.examples import (
    HOUR,
    MARGIN,
    NOON,
    SETTINGS,
    STAGES,
    WORKER,
    with_retry,
)
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import ACCOUNT_ID, EXECUTION_ID

NOW = NOON + 48 * HOUR
MODE = VerificationMode.NONE
TERMS = LeaseTerms()
LAST = with_retry(1)
ACK = Acknowledged(http_status=200)
ACK_WITH_OUTCOME = Acknowledged(http_status=200, report=Report(success=True))
FAILURE = NotAcknowledged(error="connect", message="Could not connect")


def result_of_current(result: Any, settings: Any = SETTINGS) -> Callable[[Any], Any]:
    return lambda e: record_result(e, max(e.facts.attempts, 1), result, settings, NOW)


def report(success: bool) -> Callable[[Any], Any]:
    return lambda e: report_outcome(
        e, Report(success=success), MODE, source="api", worker_id=None, now=NOW
    )


def verify(valid: bool) -> Callable[[Any], Any]:
    command = VerifyOutcome(account_id=ACCOUNT_ID, execution_id=EXECUTION_ID, valid=valid)
    return lambda e: verify_outcome(e, command, NOW)


PENDING = RequestVerification(account_id=ACCOUNT_ID, execution_id=EXECUTION_ID)

EVENTS: Mapping[str, Callable[[Any], Any]] = {
    "attempt starts": lambda e: start_attempt(e, SETTINGS, NOW, MARGIN),
    "ack": result_of_current(ACK),
    "ack with outcome": result_of_current(ACK_WITH_OUTCOME),
    "attempt failed": result_of_current(FAILURE),
    "last attempt failed": result_of_current(FAILURE, LAST),
    "attempt lost": lambda e: lose_attempt(e, SETTINGS, NOW),
    "last attempt lost": lambda e: lose_attempt(e, LAST, NOW),
    "claim": lambda e: claim(e, WORKER, None, TERMS, NOW),
    "heartbeat": lambda e: extend_lease(e, WORKER, NOW),
    "lease ends": lambda e: end_lease(e, SETTINGS, None, TERMS, NOW),
    "last lease ends": lambda e: end_lease(e, LAST, None, TERMS, NOW),
    "lease held": lambda e: end_lease(e, SETTINGS, NOW - timedelta(seconds=1), TERMS, NOW),
    "unclaimed": lambda e: miss(e, SETTINGS, NOW),
    "outcome due": lambda e: due(e, MODE, NOW),
    "outcome true": report(True),
    "outcome false": report(False),
    "evidence": lambda e: append_evidence(e, "ab" * 32, ("external_id",), None, NOW),
    "verified": verify(True),
    "rejected": verify(False),
    "verification asked": lambda e: request_verification(e, PENDING, NOW),
}

_REPORTS = {"outcome true": "success", "outcome false": "success"}
_WORKER_REPORTS = {"outcome true": "success", "outcome false": "failed"}
_WORKER_WAITS = {"claim": "delivering", "unclaimed": "missed", **_WORKER_REPORTS}
# A late ACK counts while nothing newer began (design §2 rule 8).
_RETRYING = {
    "attempt starts": "delivering",
    "ack": "success",
    "ack with outcome": "success",
    **_REPORTS,
}

TABLE: Mapping[str, Mapping[str, str]] = {
    "pending": {"attempt starts": "delivering", **_REPORTS},
    "delivering": {
        "ack": "success",
        "ack with outcome": "success",
        "attempt failed": "retrying",
        "last attempt failed": "failed",
        "attempt lost": "retrying",
        "last attempt lost": "failed",
        **_REPORTS,
    },
    "retrying": _RETRYING,
    "lost": _RETRYING,
    "success": {"outcome due": "outcome_timeout", **_REPORTS},
    "answered": {"outcome due": "success", **_REPORTS},
    "reported": {},
    "reported failure": {},
    "reported early": {},
    "failed": {"outcome true": "success", "outcome false": "failed"},
    "failed and reported": {},
    "blocked": {"outcome true": "success", "outcome false": "failed"},
    "outcome_timeout": _REPORTS,
    "cancelled": {},
    "worker pending": _WORKER_WAITS,
    "worker pending again": _WORKER_WAITS,
    "claimed": {
        "lease ends": "pending",
        "last lease ends": "failed",
        "outcome due": "outcome_timeout",
        **_WORKER_REPORTS,
    },
    "worker success": {},
    "worker failure": {},
    "worker failed": _WORKER_REPORTS,
    "missed": _WORKER_REPORTS,
    "worker timeout": _WORKER_REPORTS,
}

START: Mapping[str, str] = {
    "pending": "pending",
    "delivering": "delivering",
    "retrying": "retrying",
    "lost": "retrying",
    "success": "success",
    "answered": "success",
    "reported": "success",
    "reported failure": "success",
    "reported early": "success",
    "failed": "failed",
    "failed and reported": "failed",
    "blocked": "failed",
    "outcome_timeout": "outcome_timeout",
    "cancelled": "cancelled",
    "worker pending": "pending",
    "worker pending again": "pending",
    "claimed": "delivering",
    "worker success": "success",
    "worker failure": "failed",
    "worker failed": "failed",
    "missed": "missed",
    "worker timeout": "outcome_timeout",
}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_reads_on_the_wire_as(stage: str) -> None:
    assert status(given(*STAGES[stage]).state) == START[stage]


# The handlers know that a deleted cue's executions are not there, so nothing is decided on them.
LIVE = [stage for stage in STAGES if stage != "cancelled"]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("stage", LIVE)
def test_from_each_stage_by_each_event(stage: str, event: str) -> None:
    past = STAGES[stage]
    verdict = EVENTS[event](given(*past).state)
    assert status(given(*past, *listed(verdict)).state) == TABLE[stage].get(event, START[stage])


@pytest.mark.parametrize("stage", LIVE)
def test_every_event_that_moves_a_status_is_on_record(stage: str) -> None:
    for event, to in TABLE[stage].items():
        verdict = EVENTS[event](given(*STAGES[stage]).state)
        assert listed(verdict), (stage, event, to)


def listed(verdict: Any) -> list[Event]:
    if isinstance(verdict, Rejection):
        return []
    return [verdict] if isinstance(verdict, Event) else list(verdict)
