"""Any life of a cue keeps the promises of design §7: above all, no silence about any slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from libs.events.accounts import Plan
from libs.events.base import Event, Rejection
from libs.events.counters import usage
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.cues import (
    ActiveCue,
    CompletedCue,
    Cue,
    DeletedCue,
    FailedCue,
    FireCue,
    row,
)
from libs.events.envelope import Meta
from libs.events.execution_events import ExecutionScheduled
from libs.events.unit import Unit
from services.scheduler.decider.cues import create_cue, delete_cue, update_cue
from services.scheduler.decider.firing import due_now, fire_cue, fire_due, settle_once
from services.scheduler.decider.limits import GRACE, Account
from services.scheduler.rules import next_slot
from tests.services.dispatcher.examples import STAGES
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import (
    ACCOUNT_ID,
    CUE_ID,
    FREE,
    UNCLAIMED,
    create,
    delete,
    update,
)
from tests.services.scheduler.ledger import Stretch, accounted, owed

# The clocks of Berlin go forward on the 29th, so every life comes near to a gap.
START = datetime(2026, 3, 28, 12, tzinfo=UTC)
META = Meta(correlation_id="life", actor="test")
TINY = Plan(name="tiny", active_cues=3, executions_per_month=4, requests_per_minute=1)

crons = st.sampled_from(["0 * * * *", "*/7 * * * *", "30 2 * * *", "15 9-17 * * 1-5", "* * * * *"])
zones = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"])
spans = st.one_of(
    st.integers(0, 61).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(1, 200).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(1, 40).map(lambda hours: timedelta(hours=hours)),
)
catch_ups = st.sampled_from(["skip_missed", "run_once_if_missed", "replay_all_missed"])
wished_schedules = st.tuples(crons | spans, zones)


def schedule_of(wish: tuple[str | timedelta, str], now: datetime) -> Schedule:
    when, zone = wish
    if isinstance(when, str):
        return Schedule(cron=when, timezone=zone)
    return Schedule(at=now + when, timezone=zone)


class CueLife(RuleBasedStateMachine):
    """One cue, and all that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = Unit(START)
        self.past: list[Stretch] = []
        self.since = START
        self.enforced = False

    @initialize(wish=wished_schedules, catch_up=catch_ups, enforced=st.booleans())
    def declare(self, wish: tuple[str | timedelta, str], catch_up: str, enforced: bool) -> None:
        self.enforced = enforced
        schedule = schedule_of(wish, START + timedelta(seconds=1))
        command = create(schedule=schedule, catch_up=catch_up)
        self.record(create_cue(command, FREE, name_taken=False, now=START))

    @property
    def cue(self) -> Cue:
        state: Cue = self.unit.state("cue", CUE_ID)
        return state

    @property
    def now(self) -> datetime:
        return self.unit.now

    @property
    def history(self) -> list[Event]:
        return [item.event for item in self.unit.recorded]

    @property
    def executions(self) -> list[ExecutionScheduled]:
        return [event for event in self.history if isinstance(event, ExecutionScheduled)]

    @property
    def runs(self) -> list[str]:
        """Name the runs that schedules made, not those by hand."""
        return [e.execution_id for e in self.executions if e.triggered_by != "manual_fire"]

    @property
    def account(self) -> Account:
        """What the month's executions, counted one by one, leave to the account."""
        if not self.enforced:
            return Account()
        month = [event for event in self.executions if month_of(event.at) == month_of(self.now)]
        graces = [event.at for event in month if event.starts_grace]
        return Account(
            plan=TINY,
            executions=sum(event.blocked is None for event in month),
            grace_started_at=graces[0] if graces else None,
        )

    def record(self, events: Any) -> None:
        self.unit.record("cue", CUE_ID, ACCOUNT_ID, events, META)

    def record_execution(self, event: ExecutionScheduled) -> None:
        self.unit.record("execution", event.execution_id, ACCOUNT_ID, [event], META)

    def reschedule(self, before: Schedule) -> None:
        self.past.append((before, self.since, self.now))
        self.since = self.now

    @rule(span=spans)
    def wait(self, span: timedelta) -> None:
        self.unit.now += span

    @rule(late=st.sampled_from([0, 1, 60, 61, 3_600]))
    def the_scheduler_looks_at_the_next_slot(self, late: int) -> None:
        if isinstance(self.cue, ActiveCue) and self.cue.next_run is not None:
            self.unit.now = max(self.now, self.cue.next_run + timedelta(seconds=late))
        self.the_scheduler_looks()

    @rule()
    def the_scheduler_looks(self) -> None:
        cue = self.cue
        due = due_now(cue, self.now)
        if due is None:
            return
        assert isinstance(cue, ActiveCue)
        ids = [(self.new_id(number), "") for number in range(len(due.fires))]
        fired = fire_due(cue, due, ids, self.account, self.now, UNCLAIMED)
        for event in fired.executions:
            self.record_execution(event)
        self.record(fired.events)
        assert due_now(self.cue, self.now) is None, "the row stays due"

    def new_id(self, number: int = 0) -> str:
        return f"execution {len(self.unit.recorded) + number}"

    @rule()
    def the_user_pauses_it(self) -> None:
        self.change({}, "paused")

    @rule()
    def the_user_resumes_it(self) -> None:
        self.change({}, "active")

    @rule(wish=wished_schedules, status=st.sampled_from([None, None, "active", "paused"]))
    def the_user_reschedules_it(
        self, wish: tuple[str | timedelta, str], status: str | None
    ) -> None:
        before = self.cue.facts.settings.schedule
        changes = {"schedule": msgspec.to_builtins(schedule_of(wish, self.now))}
        if self.change(changes, status):
            self.reschedule(before)

    @rule()
    def the_user_sends_its_schedule_again(self) -> None:
        before = self.cue.facts.settings.schedule
        if self.change({"schedule": msgspec.to_builtins(before)}):
            self.reschedule(before)

    @rule(catch_up=catch_ups)
    def the_user_changes_its_catch_up(self, catch_up: str) -> None:
        self.change({"catch_up": catch_up})

    def change(self, changes: dict[str, Any], status: str | None = None) -> bool:
        command = update(changes, status)
        events = update_cue(command, self.cue, FREE, name_taken=False, now=self.now)
        if isinstance(events, Rejection):
            assert events.code in ("invalid_state", "invalid_schedule")
            return False
        self.record(events)
        return True

    @rule(later=st.none() | spans)
    def the_user_fires_it(self, later: timedelta | None) -> None:
        command = FireCue(
            account_id=ACCOUNT_ID,
            cue_id=CUE_ID,
            execution_id=self.new_id(),
            send_at=self.now + later if later else None,
        )
        before = self.cue
        event = fire_cue(command, before, self.account, self.now, UNCLAIMED)
        if not isinstance(event, Rejection):
            self.record_execution(event)
            assert type(self.cue) is type(before)
            assert row(self.cue)["next_run"] == row(before)["next_run"]

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), stage=st.sampled_from(["success", "failed", "missed", "claimed"]))
    def a_run_goes_on(self, data: st.DataObject, stage: str) -> None:
        run = data.draw(st.sampled_from(self.runs))
        execution = given(*STAGES[stage]).state
        facts = msgspec.structs.replace(execution.facts, id=run)
        before = self.cue
        events = settle_once(before, msgspec.structs.replace(execution, facts=facts), self.now)
        if events:
            assert before.facts.settings.schedule.at is not None
            made_at = next(e.at for e in self.executions if e.execution_id == run)
            assert made_at >= self.since, "an earlier schedule's run ended the cue"
        self.record(events)

    @invariant()
    def a_cue_waits_for_a_slot_of_its_schedule(self) -> None:
        if not self.history:
            return
        cue, schedule = self.cue, self.cue.facts.settings.schedule
        if isinstance(cue, ActiveCue) and cue.next_run is not None:
            assert next_slot(schedule, cue.next_run - timedelta(microseconds=1)) == cue.next_run
        else:
            assert schedule.at is not None or not isinstance(cue, ActiveCue)
            assert row(cue)["next_run"] is None

    @invariant()
    def only_a_once_cue_ends(self) -> None:
        if self.history and isinstance(self.cue, CompletedCue | FailedCue):
            assert self.cue.facts.settings.schedule.at is not None

    @invariant()
    def a_state_survives_being_written_and_read(self) -> None:
        if self.history:
            written = msgspec.json.encode(self.cue)
            assert msgspec.json.decode(written, type=Cue) == self.cue

    @override
    def teardown(self) -> None:
        """Delete the cue, so that every slot must be on record; then count by hand."""
        if not self.history:
            return
        if not isinstance(self.cue, DeletedCue):
            self.record(delete_cue(delete(), self.cue, self.now))
            self.reschedule(self.cue.facts.settings.schedule)
        slots = owed(self.past)
        assert accounted(self.history, slots) == Counter(slots)
        versions = [item.version for item in self.unit.recorded if item.category == "cue"]
        assert versions == list(range(1, len(versions) + 1))
        assert self.cue.facts.fired_count == len(self.executions)
        self.check_usage()

    def check_usage(self) -> None:
        counted = {
            part.period: (part.executions, part.grace_started_at)
            for part in usage((item.account_id, item.event) for item in self.unit.recorded)
        }
        assert counted == recounted(self.executions)
        for event in self.executions:
            grace = counted.get(month_of(event.at), (0, None))[1]
            assert (event.blocked is not None) == (grace is not None and event.at >= grace + GRACE)


def month_of(instant: datetime) -> date:
    return date(instant.year, instant.month, 1)


def recounted(
    executions: list[ExecutionScheduled],
) -> Mapping[date, tuple[int, datetime | None]]:
    months: dict[date, tuple[int, datetime | None]] = {}
    for event in executions:
        if event.blocked is not None:
            continue
        made, grace = months.get(month_of(event.at), (0, None))
        assert not (event.starts_grace and grace is not None), "a second grace in one month"
        months[month_of(event.at)] = (made + 1, event.at if event.starts_grace else grace)
    return months


CueLife.TestCase.settings = hypothesis_settings(
    max_examples=100, stateful_step_count=30, deadline=None
)
TestCueLife = CueLife.TestCase
