"""Both lease rules: held by the worker's own heartbeat (contract §7), or exactly as long (§16)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from libs.events.base import Event
from libs.events.execution_events import (
    DeliveryFailed,
    ExecutionCancelled,
    ExecutionMissed,
    LeaseExpired,
    LeaseExtended,
)
from libs.events.execution_rows import (
    row,
    status,
)
from services.dispatcher.decider.claims import LeaseTerms, end_lease, miss
from tests.services.dispatcher.examples import (
    FOR_WORKER,
    HOUR,
    LEASE_ENDED,
    MINUTE,
    NOON,
    SECOND,
    SETTINGS,
    STAGES,
    WORKER,
    claimed,
    expired,
    with_retry,
)
from tests.services.scheduler.deciding import Decided, events_of, given

TERMS = LeaseTerms()
HELD = (FOR_WORKER, claimed())
SHORT = (FOR_WORKER, claimed(seconds=60, short=True))
SILENT_SINCE = LEASE_ENDED - 180 * SECOND


def when_looked_at(
    *past: Event,
    beat: datetime | None = None,
    now: datetime = LEASE_ENDED,
    settings: Any = SETTINGS,
    terms: LeaseTerms = TERMS,
) -> Decided:
    return given(*past).when(lambda execution: end_lease(execution, settings, beat, terms, now))


@pytest.mark.parametrize("beat", [None, SILENT_SINCE, NOON - HOUR])
def test_a_silent_workers_lease_is_lost_when_it_ends(beat: datetime | None) -> None:
    decided = when_looked_at(*HELD, beat=beat)
    decided.then(
        LeaseExpired(
            at=LEASE_ENDED, epoch=1, due_at=LEASE_ENDED, expires_at=LEASE_ENDED + 15 * MINUTE
        )
    )
    lost = given(*HELD, *events_of(decided)).state
    assert status(lost) == "pending"
    shown = row(lost)
    assert (shown["claimed_at"], shown["outcome_due_at"]) == (None, None)
    assert shown["claimable_at"] == LEASE_ENDED
    assert shown["delivery_due_at"] == LEASE_ENDED + 15 * MINUTE


@pytest.mark.parametrize("seconds_ago", [0, 1, 179])
def test_a_worker_that_beats_keeps_its_lease(seconds_ago: int) -> None:
    beat = LEASE_ENDED - seconds_ago * SECOND
    decided = when_looked_at(*HELD, beat=beat)
    decided.then(
        LeaseExtended(
            at=LEASE_ENDED, epoch=1, lease_until=beat + 180 * SECOND, by_worker_heartbeat=True
        )
    )
    held = given(*HELD, *events_of(decided)).state
    assert held.last_heartbeat_at is None
    assert held.lease_until == beat + 180 * SECOND
    assert held.expires_at == NOON + 24 * HOUR


def test_a_worker_that_falls_silent_afterwards_loses_it_then() -> None:
    kept = events_of(when_looked_at(*HELD, beat=LEASE_ENDED))
    silent = LEASE_ENDED + 180 * SECOND
    when_looked_at(*HELD, *kept, beat=LEASE_ENDED, now=silent - SECOND).then()
    when_looked_at(*HELD, *kept, beat=LEASE_ENDED, now=silent).then(expired(silent))


def test_the_workers_heartbeat_does_not_hold_a_short_lease() -> None:
    ends = NOON + 60 * SECOND
    when_looked_at(*SHORT, beat=ends, now=ends).then(expired(ends))


@pytest.mark.parametrize(("past", "ends"), [(HELD, LEASE_ENDED), (SHORT, NOON + MINUTE)])
@pytest.mark.parametrize("beat", [None, NOON])
def test_a_lease_is_not_lost_before_it_ends(
    past: tuple[Event, ...], ends: datetime, beat: datetime | None
) -> None:
    when_looked_at(*past, beat=beat, now=ends - SECOND / 1_000_000).then()


def test_the_last_lost_lease_ends_the_execution() -> None:
    decided = when_looked_at(*HELD, settings=with_retry(1))
    decided.then(expired(LEASE_ENDED), DeliveryFailed(at=LEASE_ENDED, attempts=1))
    ended = given(*HELD, *events_of(decided)).state
    assert (status(ended), row(ended)["claimable_at"]) == ("failed", None)
    assert WORKER in ended.facts.error_message


@pytest.mark.parametrize(("epoch", "ends"), [(1, False), (2, False), (3, True), (4, True)])
def test_lost_leases_count_as_attempts(epoch: int, ends: bool) -> None:
    decided = when_looked_at(FOR_WORKER, claimed(epoch=epoch))
    assert (DeliveryFailed(at=LEASE_ENDED, attempts=epoch) in events_of(decided)) is ends


def test_the_terms_are_settings() -> None:
    terms = LeaseTerms(silence_seconds=10, unclaimed_seconds=20)
    when_looked_at(*HELD, beat=LEASE_ENDED - 10 * SECOND, terms=terms).then(
        LeaseExpired(
            at=LEASE_ENDED, epoch=1, due_at=LEASE_ENDED, expires_at=LEASE_ENDED + 20 * SECOND
        )
    )


def test_a_deleted_cues_claim_is_cancelled() -> None:
    when_looked_at(*HELD, beat=LEASE_ENDED, settings=None).then(
        ExecutionCancelled(at=LEASE_ENDED, reason="cue_deleted")
    )


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "claimed"])
def test_what_no_worker_holds_has_no_lease_to_end(stage: str) -> None:
    when_looked_at(*STAGES[stage], now=NOON + 48 * HOUR).then()


def when_unclaimed(*past: Event, now: datetime, settings: Any = SETTINGS) -> Decided:
    return given(*past).when(lambda execution: miss(execution, settings, now))


def test_an_execution_that_nobody_claims_is_missed() -> None:
    when_unclaimed(FOR_WORKER, now=NOON + 15 * MINUTE - SECOND).then()
    when_unclaimed(FOR_WORKER, now=NOON + 15 * MINUTE).then(ExecutionMissed(at=NOON + 15 * MINUTE))


def test_a_lost_execution_is_missed_when_nobody_claims_it_again() -> None:
    again = (FOR_WORKER, claimed(), expired(LEASE_ENDED))
    when_unclaimed(*again, now=LEASE_ENDED + 15 * MINUTE - SECOND).then()
    when_unclaimed(*again, now=LEASE_ENDED + 15 * MINUTE).then(
        ExecutionMissed(at=LEASE_ENDED + 15 * MINUTE)
    )


def test_an_unclaimed_execution_of_a_deleted_cue_is_cancelled() -> None:
    now = NOON + 15 * MINUTE
    when_unclaimed(FOR_WORKER, now=now, settings=None).then(
        ExecutionCancelled(at=now, reason="cue_deleted")
    )


@pytest.mark.parametrize("stage", [name for name in STAGES if "pending" not in name])
def test_nothing_else_is_missed(stage: str) -> None:
    when_unclaimed(*STAGES[stage], now=NOON + 48 * HOUR).then()


def test_a_webhooks_execution_is_not_missed() -> None:
    when_unclaimed(*STAGES["pending"], now=NOON + 48 * HOUR).then()
