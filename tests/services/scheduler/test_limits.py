"""The month's executions and their grace (contract §10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from libs.events import execution_rows, execution_states
from libs.events.accounts import PLANS
from libs.events.base import Rejection
from libs.events.cues import (
    FireCue,
    ReplayExecution,
)
from libs.events.execution_events import ExecutionScheduled
from services.scheduler.decider.firing import due_now, fire_cue, fire_due, replay_execution
from services.scheduler.decider.limits import Account, counted
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import (
    ACCOUNT_ID,
    CUE_ID,
    EXECUTION_ID,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TRACE,
    UNCLAIMED,
    created,
    fired,
)

GRACE = timedelta(hours=24)
FREE_LIMIT = 300
CUE = given(created()).state
OLD = given(fired(NOON, blocked="x")).state
FIRE = FireCue(account_id=ACCOUNT_ID, cue_id=CUE_ID, execution_id=EXECUTION_ID)
REPLAY = ReplayExecution(account_id=ACCOUNT_ID, replayed_id=EXECUTION_ID, execution_id=EXECUTION_ID)


def account(executions: int, grace: datetime | None = None, plan: str = "free") -> Account:
    return Account(plan=PLANS[plan], executions=executions, grace_started_at=grace)


def fire(of: Account, now: datetime = NOON) -> ExecutionScheduled | Rejection:
    return fire_cue(FIRE, CUE, of, now, UNCLAIMED)


def replay(of: Account, now: datetime = NOON) -> ExecutionScheduled | Rejection:
    return replay_execution(REPLAY, OLD, CUE, of, now, UNCLAIMED)


def slot(of: Account, now: datetime = NOON + HOUR) -> ExecutionScheduled:
    due = due_now(CUE, now)
    assert due is not None
    [event] = fire_due(CUE, due, [(EXECUTION_ID, TRACE)], of, now, UNCLAIMED).executions
    return event


@pytest.mark.parametrize("make", [fire, replay, slot])
@pytest.mark.parametrize(
    ("made_before", "grace", "starts"),
    [
        (0, None, False),
        (FREE_LIMIT - 2, None, False),
        (FREE_LIMIT - 1, None, True),
        (FREE_LIMIT, None, True),
        (FREE_LIMIT + 5, None, True),
        (FREE_LIMIT, NOON - HOUR, False),
    ],
)
def test_the_execution_that_reaches_the_limit_starts_the_grace(
    make: Any, made_before: int, grace: datetime | None, starts: bool
) -> None:
    event = make(account(made_before, grace))
    assert isinstance(event, ExecutionScheduled)
    assert event.starts_grace is starts
    assert event.blocked is None


@pytest.mark.parametrize("make", [fire, replay])
def test_after_the_grace_nothing_is_made_by_hand(make: Any) -> None:
    over = account(FREE_LIMIT + 1, NOON - GRACE)
    refused = make(over)
    assert isinstance(refused, Rejection)
    assert refused.code == "execution_limit_exceeded"
    within = account(FREE_LIMIT + 1, NOON - GRACE + SECOND)
    assert isinstance(make(within), ExecutionScheduled)


def test_after_the_grace_a_slot_becomes_a_failed_execution_and_the_schedule_goes_on() -> None:
    event = slot(account(FREE_LIMIT + 1, NOON - GRACE))
    execution = execution_states.evolve(None, event)
    assert execution_rows.status(execution) == "failed"
    assert execution.facts.attempts == 0
    assert execution.facts.error_message is not None
    assert execution.facts.error_message.startswith("execution_limit_exceeded")
    assert event.next_run == NOON + 2 * HOUR
    assert execution_rows.row(execution)["delivery_due_at"] is None


def test_a_blocked_execution_neither_counts_nor_starts_a_grace() -> None:
    over = account(FREE_LIMIT, NOON - GRACE)
    event = slot(over)
    assert not event.starts_grace
    assert counted(over, event) == over


def test_an_execution_counts_and_its_grace_is_remembered() -> None:
    before = account(FREE_LIMIT - 1)
    event = fire(before, NOON + MINUTE)
    assert isinstance(event, ExecutionScheduled)
    assert counted(before, event) == account(FREE_LIMIT, NOON + MINUTE)
    again = fire(counted(before, event), NOON + 2 * MINUTE)
    assert isinstance(again, ExecutionScheduled)
    assert not again.starts_grace


@pytest.mark.parametrize("make", [fire, replay, slot])
def test_an_upgrade_ends_the_block(make: Any) -> None:
    upgraded = account(FREE_LIMIT + 1, NOON - 2 * GRACE, plan="pro")
    event = make(upgraded)
    assert isinstance(event, ExecutionScheduled)
    assert event.blocked is None


@pytest.mark.parametrize("make", [fire, replay, slot])
def test_without_enforcement_nothing_is_limited(make: Any) -> None:
    event = make(Account(executions=10**9, grace_started_at=NOON - 30 * GRACE))
    assert isinstance(event, ExecutionScheduled)
    assert (event.blocked, event.starts_grace) == (None, False)


@pytest.mark.parametrize(("plan", "limit"), [("free", 300), ("pro", 5_000), ("scale", 50_000)])
def test_each_plan_has_its_own_limit(plan: str, limit: int) -> None:
    for made, starts in ((limit - 2, False), (limit - 1, True)):
        event = fire(account(made, plan=plan))
        assert isinstance(event, ExecutionScheduled)
        assert event.starts_grace is starts
