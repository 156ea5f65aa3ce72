"""Any life of an execution keeps the promises of design §7: valid commands in any order.

Each step is what a service would do: the timers' decisions when a row is due, results of attempts
in time or late, workers' calls, outcomes and judgements, and changes of the cue meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from typing_extensions import override

from libs.events.base import Event, Rejection, Transport, VerificationMode
from libs.events.counters import activity_rows
from libs.events.cue_settings import (
    CueSettings,
    Delivery,
    Retry,
)
from libs.events.envelope import Meta
from libs.events.execution_commands import RequestVerification, VerifyOutcome
from libs.events.execution_events import AttemptStarted
from libs.events.execution_rows import (
    delivery_due_at,
    outcome_due_at,
)
from libs.events.executions import (
    Cancelled,
    Claimed,
    Delivering,
    Execution,
    Pending,
    Report,
    Retrying,
)
from libs.events.unit import Unit
from services.dispatcher.decider.attempts import (
    LONGEST_STEP,
    Acknowledged,
    NotAcknowledged,
    Result,
    lose_attempt,
    postpone_attempt,
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
from tests.services.dispatcher import life
from tests.services.dispatcher.examples import FOR_WORKER, HOUR, MARGIN, NOON, SETTINGS, WEBHOOK
from tests.services.scheduler.examples import ACCOUNT_ID, CUE_ID, EXECUTION_ID, created

TERMS = LeaseTerms()
META = Meta(correlation_id="life", actor="test")
REF = "ab" * 32
EVIDENCE = ("external_id", "result_url", "artifacts")

spans = st.one_of(
    st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(1, 40).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(1, 26).map(lambda hours: timedelta(hours=hours)),
)
reports = st.builds(
    Report,
    success=st.booleans(),
    evidence=st.lists(st.sampled_from(EVIDENCE), unique=True).map(tuple),
)
workers = st.sampled_from(["one", "two"])
acks = st.builds(Acknowledged, http_status=st.just(200), report=st.none() | reports)
results = acks | st.builds(
    NotAcknowledged,
    error=st.just("status"),
    message=st.just("an error status (503)"),
    http_status=st.just(503) | st.none(),
    retry_after=st.none() | st.integers(0, 4_000),
)


class ExecutionLife(RuleBasedStateMachine):
    """One execution, and all that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = Unit(NOON)
        self.cue: CueSettings | None = SETTINGS
        self.most_attempts = SETTINGS.retry.max_attempts
        self.beats: dict[str, Any] = {}

    @initialize(transport=st.sampled_from(Transport), held=st.integers(0, 2))
    def schedule(self, transport: Transport, held: int) -> None:
        self.unit.hold("cue", CUE_ID, 0, None)
        self.unit.record("cue", CUE_ID, ACCOUNT_ID, [created()], META)
        first = WEBHOOK if transport is Transport.WEBHOOK else FOR_WORKER
        due_at = NOON + held * HOUR
        expires_at = first.expires_at and first.expires_at + held * HOUR
        self.record([msgspec.structs.replace(first, due_at=due_at, expires_at=expires_at)])

    @property
    def execution(self) -> Execution:
        state: Execution = self.unit.state("execution", EXECUTION_ID)
        return state

    @property
    def history(self) -> list[Event]:
        return [item.event for item in self.unit.recorded if item.category == "execution"]

    @property
    def now(self) -> Any:
        return self.unit.now

    def record(self, verdict: Any) -> None:
        if not isinstance(verdict, Rejection):
            events = [verdict] if isinstance(verdict, Event) else verdict
            for event in events:
                if isinstance(event, AttemptStarted):
                    assert self.cue is not None
                    assert event.epoch <= self.cue.retry.max_attempts
            self.unit.record("execution", EXECUTION_ID, ACCOUNT_ID, events, META)

    @rule(span=spans)
    def wait(self, span: timedelta) -> None:
        self.unit.now += span

    @rule()
    def the_next_due_row_is_served(self) -> None:
        times = (delivery_due_at(self.execution), outcome_due_at(self.execution))
        ahead = [time for time in times if time is not None and time > self.now]
        self.unit.now = min(ahead, default=self.now)
        self.dispatcher_wakes()
        self.outcomes_wake(VerificationMode.NONE)

    @rule()
    def dispatcher_wakes(self) -> None:
        execution, due_at = self.execution, delivery_due_at(self.execution)
        events: Any
        if isinstance(execution, Claimed):
            beat = self.beats.get(execution.worker_id)
            events = end_lease(execution, self.cue, beat, TERMS, self.now)
        elif execution.facts.transport is Transport.WORKER:
            events = miss(execution, self.cue, self.now)
        elif isinstance(execution, Delivering):
            events = lose_attempt(execution, self.cue, self.now)
        else:
            events = start_attempt(execution, self.cue, self.now, MARGIN)
        self.record(events)
        if due_at is not None and due_at <= self.now:
            assert self.execution != execution, "a due row was left as it was"
        else:
            assert not events, "what was not due was touched"

    @precondition(lambda self: isinstance(self.execution, Pending | Retrying))
    @precondition(lambda self: self.execution.facts.transport is Transport.WEBHOOK)
    @rule(seconds=st.integers(1, 120))
    def destination_fails(self, seconds: int) -> None:
        before = self.execution
        if not start_attempt(before, self.cue, self.now, MARGIN):
            return
        wait = timedelta(seconds=seconds)
        if (postponed := postpone_attempt(before, wait, self.now)) is not None:
            self.record(postponed)
            assert self.execution.facts.attempts == before.facts.attempts
            assert self.now < delivery_due_at(self.execution) <= self.now + max(wait, LONGEST_STEP)

    @rule(mode=st.sampled_from(VerificationMode))
    def outcomes_wake(self, mode: VerificationMode) -> None:
        due_at = outcome_due_at(self.execution)
        events = due(self.execution, mode, self.now)
        self.record(events)
        if due_at is not None and due_at <= self.now:
            assert outcome_due_at(self.execution) is None, "a due row was left as it was"
        else:
            assert not events, "what was not due was touched"

    @precondition(lambda self: self.execution.facts.transport is Transport.WEBHOOK)
    @rule(result=results)
    def result_comes(self, result: Result) -> None:
        if epoch := self.execution.facts.attempts:
            self.record(record_result(self.execution, epoch, result, self.cue, self.now))

    @precondition(lambda self: self.execution.facts.attempts > 1)
    @precondition(lambda self: self.execution.facts.transport is Transport.WEBHOOK)
    @rule(result=results)
    def result_of_an_older_attempt_comes(self, result: Result) -> None:
        before = self.execution
        self.record(record_result(before, before.facts.attempts - 1, result, self.cue, self.now))
        assert self.cue is None or self.execution == before

    @precondition(lambda self: self.cue is not None)
    @precondition(lambda self: self.execution.facts.transport is Transport.WORKER)
    @rule(worker=workers, seconds=st.none() | st.integers(10, 3_600))
    def worker_claims(self, worker: str, seconds: int | None) -> None:
        self.record(claim(self.execution, worker, seconds, TERMS, self.now))

    @precondition(lambda self: self.cue is not None)
    @rule(worker=workers | st.none())
    def lease_beats(self, worker: str | None) -> None:
        self.record(extend_lease(self.execution, worker, self.now))

    @rule(worker=workers)
    def worker_beats(self, worker: str) -> None:
        self.beats[worker] = self.now

    @precondition(lambda self: self.cue is not None and len(self.history) % 4 == 3)
    @rule(report=reports, mode=st.sampled_from(VerificationMode), worker=workers | st.none())
    def agent_reports(self, report: Report, mode: VerificationMode, worker: str | None) -> None:
        verdict = report_outcome(
            self.execution, report, mode, source="api", worker_id=worker, now=self.now
        )
        if self.execution.facts.outcome is not None:
            assert isinstance(verdict, Rejection)
        self.record(verdict)

    @precondition(lambda self: self.cue is not None and self.execution.facts.outcome)
    @rule(evidence=st.lists(st.sampled_from(EVIDENCE), unique=True).map(tuple))
    def evidence_comes(self, evidence: tuple[str, ...]) -> None:
        self.record(append_evidence(self.execution, REF, evidence, None, self.now))

    @precondition(lambda self: self.cue is not None and self.execution.facts.outcome)
    @rule(valid=st.booleans(), reason=st.none() | st.just("wrong file"))
    def person_judges(self, valid: bool, reason: str | None) -> None:
        command = VerifyOutcome(
            account_id=ACCOUNT_ID, execution_id=EXECUTION_ID, valid=valid, reason=reason
        )
        self.record(verify_outcome(self.execution, command, self.now))

    @precondition(lambda self: self.cue is not None and self.execution.facts.outcome)
    @rule()
    def judgement_is_asked_for(self) -> None:
        command = RequestVerification(account_id=ACCOUNT_ID, execution_id=EXECUTION_ID)
        self.record(request_verification(self.execution, command, self.now))

    @precondition(lambda self: self.cue is not None)
    @rule(
        attempts=st.integers(1, 4),
        backoff=st.lists(st.integers(0, 20), min_size=1, max_size=3).map(tuple),
        timeout=st.integers(1, 100),
        deadline=st.integers(1, 600),
    )
    def cue_changes(
        self, attempts: int, backoff: tuple[int, ...], timeout: int, deadline: int
    ) -> None:
        assert self.cue is not None
        self.cue = msgspec.structs.replace(
            self.cue,
            retry=Retry(max_attempts=attempts, backoff_minutes=backoff),
            delivery=Delivery(timeout_seconds=timeout, outcome_deadline_seconds=deadline),
        )
        self.most_attempts = max(self.most_attempts, attempts)

    @precondition(lambda self: len(self.history) > 8)
    @rule()
    def cue_is_deleted(self) -> None:
        self.cue = None

    @invariant()
    def a_state_survives_being_written_and_read(self) -> None:
        if self.history:
            written = msgspec.json.encode(self.execution)
            assert msgspec.json.decode(written, type=Execution) == self.execution

    @invariant()
    def what_is_cancelled_waits_for_nothing(self) -> None:
        if self.history and isinstance(self.execution, Cancelled):
            assert delivery_due_at(self.execution) is outcome_due_at(self.execution) is None

    @override
    def teardown(self) -> None:
        """Every promise is about the whole history, so it is enough to check it at its end."""
        if not self.history:
            return
        life.check(self.history)
        assert self.execution.facts.attempts <= self.most_attempts
        versions = [item.version for item in self.unit.recorded if item.category == "execution"]
        assert versions == list(range(1, len(versions) + 1))
        [counted] = activity_rows(self.unit.activity) or [{"run_count": 0, "last_run": None}]
        assert counted["run_count"] == life.runs(self.history)
        assert counted["last_run"] == life.last_run(self.history)


ExecutionLife.TestCase.settings = hypothesis_settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
TestExecutionLife = ExecutionLife.TestCase
