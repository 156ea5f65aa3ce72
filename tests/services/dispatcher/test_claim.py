from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from libs.events.base import Event
from libs.events.execution_events import ExecutionClaimed
from libs.events.execution_rows import (
    row,
    status,
)
from services.dispatcher.decider.claims import LeaseTerms, claim
from tests.services.dispatcher.examples import (
    FOR_WORKER,
    HOUR,
    LEASE_ENDED,
    NOON,
    SECOND,
    STAGES,
    WORKER,
    claimed,
    expired,
)
from tests.services.scheduler.deciding import Decided, events_of, given, refused

NOW = NOON + SECOND
TERMS = LeaseTerms()


def when_claimed(
    *past: Event,
    worker: str = WORKER,
    seconds: int | None = None,
    now: datetime = NOW,
    terms: LeaseTerms = TERMS,
) -> Decided:
    return given(*past).when(lambda execution: claim(execution, worker, seconds, terms, now))


def test_a_claim_lends_the_execution_for_the_lease() -> None:
    decided = when_claimed(FOR_WORKER)
    decided.then(
        ExecutionClaimed(
            at=NOW,
            epoch=1,
            worker_id=WORKER,
            lease_seconds=900,
            lease_until=NOW + 900 * SECOND,
            expires_at=NOW + 24 * HOUR,
            held_by_heartbeat=True,
        )
    )
    execution = given(FOR_WORKER, *events_of(decided)).state
    assert status(execution) == "delivering"
    shown = row(execution)
    assert (shown["worker_id"], shown["claimed_at"]) == (WORKER, NOW)
    assert shown["claimable_at"] is None
    assert shown["delivery_due_at"] == NOW + 900 * SECOND
    assert shown["outcome_due_at"] == NOW + 24 * HOUR
    assert execution.facts.started_at == NOW


def test_the_length_of_leases_is_a_setting() -> None:
    when_claimed(FOR_WORKER, terms=LeaseTerms(claim_seconds=60)).then(claimed(at=NOW, seconds=60))


@pytest.mark.parametrize("seconds", [10, 3_600])
def test_a_short_lease_is_exactly_as_long_as_asked_for(seconds: int) -> None:
    when_claimed(FOR_WORKER, seconds=seconds).then(claimed(at=NOW, seconds=seconds, short=True))


def test_a_lost_execution_is_claimed_anew_with_the_next_epoch() -> None:
    past = (FOR_WORKER, claimed(), expired(LEASE_ENDED))
    decided = when_claimed(*past, worker="another", now=LEASE_ENDED)
    decided.then(claimed(at=LEASE_ENDED, epoch=2, worker="another"))
    facts = given(*past, *events_of(decided)).state.facts
    assert (facts.attempts, facts.started_at, facts.claimed_at) == (2, NOON, LEASE_ENDED)


def test_an_execution_cannot_be_claimed_before_it_is_due() -> None:
    held = replace(FOR_WORKER, due_at=NOON + HOUR, expires_at=NOON + 2 * HOUR)
    when_claimed(held, now=NOON + HOUR - SECOND).then(refused("claim_failed"))
    when_claimed(held, now=NOON + HOUR).then(claimed(at=NOON + HOUR))


@pytest.mark.parametrize(
    "stage", [name for name in STAGES if name not in ("worker pending", "worker pending again")]
)
def test_what_is_taken_ended_or_a_webhooks_cannot_be_claimed(stage: str) -> None:
    when_claimed(*STAGES[stage], now=NOON + HOUR).then(refused("claim_failed"))


def test_the_holder_cannot_claim_again() -> None:
    when_claimed(FOR_WORKER, claimed()).then(refused("claim_failed"))
