from __future__ import annotations

from datetime import datetime

import pytest

from libs.events.base import Event
from libs.events.execution_events import LeaseExtended
from services.dispatcher.decider.claims import extend_lease
from tests.services.dispatcher.examples import (
    FOR_WORKER,
    HOUR,
    LEASE_ENDED,
    MINUTE,
    NOON,
    SECOND,
    STAGES,
    WORKER,
    claimed,
    expired,
)
from tests.services.scheduler.deciding import Decided, events_of, given, refused

NOW = NOON + 10 * MINUTE
HELD = (FOR_WORKER, claimed())
SHORT = (FOR_WORKER, claimed(seconds=60, short=True))


def when_beating(*past: Event, worker: str | None = WORKER, now: datetime = NOW) -> Decided:
    return given(*past).when(lambda execution: extend_lease(execution, worker, now))


@pytest.mark.parametrize("worker", [WORKER, None])
def test_a_heartbeat_renews_the_lease_from_now(worker: str | None) -> None:
    decided = when_beating(*HELD, worker=worker)
    decided.then(LeaseExtended(at=NOW, epoch=1, lease_until=NOW + 900 * SECOND))
    held = given(*HELD, *events_of(decided)).state
    assert (held.lease_until, held.last_heartbeat_at) == (NOW + 900 * SECOND, NOW)
    assert held.expires_at == NOON + 24 * HOUR


def test_a_short_lease_is_renewed_by_its_own_length() -> None:
    now = NOON + 30 * SECOND
    when_beating(*SHORT, now=now).then(
        LeaseExtended(at=now, epoch=1, lease_until=now + 60 * SECOND)
    )


def test_a_lease_that_has_ended_but_is_not_lost_yet_is_renewed() -> None:
    now = NOON + HOUR
    when_beating(*HELD, now=now).then(
        LeaseExtended(at=now, epoch=1, lease_until=now + 900 * SECOND)
    )


def test_a_short_lease_is_lost_when_it_ends() -> None:
    when_beating(*SHORT, now=NOON + 60 * SECOND).then(refused("execution_not_claiming"))


def test_another_workers_heartbeat_is_refused() -> None:
    when_beating(*HELD, worker="another").then(refused("not_execution_owner"))


def test_a_lost_lease_cannot_be_renewed() -> None:
    lost = (FOR_WORKER, claimed(), expired(LEASE_ENDED))
    when_beating(*lost, now=LEASE_ENDED).then(refused("execution_not_claiming"))
    taken = (*lost, claimed(at=LEASE_ENDED, epoch=2, worker="another"))
    when_beating(*taken, now=LEASE_ENDED).then(refused("not_execution_owner"))


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "claimed"])
@pytest.mark.parametrize("worker", [WORKER, "another", None])
def test_what_no_worker_holds_cannot_be_kept(stage: str, worker: str | None) -> None:
    when_beating(*STAGES[stage], worker=worker).then(refused("execution_not_claiming"))
