"""The checker finds what is wrong: each invariant, broken on purpose, is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from multidict import CIMultiDict

from libs.events.alerts import AlertRaised
from libs.events.base import Event, Transport
from libs.events.cue_settings import (
    CueSettings,
    Retry,
    Schedule,
)
from libs.events.cues import (
    CueCreated,
    CueDeleted,
    SlotsSkipped,
)
from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    DeliveryFailed,
    ExecutionClaimed,
    ExecutionScheduled,
    LeaseExpired,
    OutcomeReported,
)
from libs.events.executions import Report
from tests.e2e import arrivals, attempts, promises
from tests.e2e.history import Exchange, History
from tests.e2e.invariants import broken, unfinished
from tests.e2e.receiver import Arrival
from tests.e2e.snapshot import Logged, Snapshot

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNT = "0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


SCHEDULED = ExecutionScheduled(
    at=at(0),
    execution_id="e1",
    account_id=ACCOUNT,
    cue_id="c1",
    transport=Transport.WEBHOOK,
    scheduled_for=at(0),
    due_at=at(0),
    triggered_by="scheduled",
)
STARTED = AttemptStarted(at=at(1), epoch=1, lease_until=at(31))
SUCCEEDED = AttemptSucceeded(at=at(2), epoch=1, http_status=200)
FAILED = AttemptFailed(at=at(2), epoch=1, error="status", message="", retry_at=at(60))
LOST = AttemptLost(at=at(31), epoch=1, retry_at=at(60))
CLAIMED = ExecutionClaimed(
    at=at(1), epoch=1, worker_id="w", lease_seconds=30, lease_until=at(31), expires_at=at(99)
)
REPORTED = OutcomeReported(at=at(3), report=Report(success=True), source="api", mode="none")  # type: ignore[arg-type]


def started(epoch: int, seconds: float) -> AttemptStarted:
    return AttemptStarted(at=at(seconds), epoch=epoch, lease_until=at(seconds + 30))


@pytest.mark.parametrize(
    "history",
    [
        [STARTED, SUCCEEDED, REPORTED],
        [STARTED, REPORTED, SUCCEEDED],
        [STARTED, FAILED, started(2, 60)],
        [STARTED, LOST, started(2, 60)],
        [CLAIMED, LeaseExpired(at=at(31), epoch=1, due_at=at(31), expires_at=at(99)), REPORTED],
    ],
)
def test_right_histories_are_right(history: list[Event]) -> None:
    assert list(attempts.faults([SCHEDULED, *history], most_attempts=3)) == []


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ([SCHEDULED], "scheduled twice"),
        ([started(2, 1)], "epoch 2 follows epoch 0"),
        ([STARTED, started(2, 2)], "begins while epoch 1 holds the lease"),
        ([CLAIMED, started(2, 2)], "begins while epoch 1 holds the lease"),
        ([STARTED, SUCCEEDED, started(2, 60)], "begins after AttemptSucceeded"),
        ([STARTED, FAILED, started(2, 59)], "before it was due"),
        ([started(1, -1)], "before it was due"),
        ([STARTED, FAILED, started(2, 60), LOST], "AttemptLost of epoch 1"),
        ([STARTED, AttemptLost(at=at(30), epoch=1)], "before the lease ended"),
        ([STARTED, REPORTED, REPORTED], "OutcomeReported after OutcomeReported"),
        ([STARTED, SUCCEEDED, DeliveryFailed(at=at(3), attempts=1)], "after AttemptSucceeded"),
        ([STARTED, SUCCEEDED, SUCCEEDED], "after AttemptSucceeded"),
    ],
)
def test_wrong_histories_are_told(history: list[Event], told: str) -> None:
    faults = list(attempts.faults([SCHEDULED, *history], most_attempts=3))
    assert any(told in fault for fault in faults), faults


def test_too_many_attempts_are_told() -> None:
    faults = list(attempts.faults([SCHEDULED, STARTED, FAILED, started(2, 60)], most_attempts=1))
    assert faults == ["epoch 2 is more than the 1 attempts allowed"]


def cue_created(schedule: Schedule) -> CueCreated:
    settings = CueSettings(name="n", schedule=schedule, retry=Retry(max_attempts=3))
    return CueCreated(at=T0, cue_id="c1", account_id=ACCOUNT, settings=settings, next_run=None)


MINUTELY = cue_created(Schedule(cron="* * * * *"))


def shown(*cue: Event, executions: Sequence[Sequence[Event]] = ()) -> Snapshot:
    """The log five and a half minutes later."""
    streams: dict[str, Sequence[Event]] = {"cue-c1": cue}
    for events in executions:
        assert isinstance(events[0], ExecutionScheduled)
        streams[f"execution-{events[0].execution_id}"] = events
    usage = {(ACCOUNT, T0.date().replace(day=1)): len(executions)} if executions else {}
    return Snapshot(
        now=at(330),
        streams={
            stream: [Logged(n, ACCOUNT, event) for n, event in enumerate(events, 1)]
            for stream, events in streams.items()
        },
        usage=usage,
    )


def fire(name: str, seconds: float) -> list[Event]:
    return [
        ExecutionScheduled(
            at=at(seconds),
            execution_id=name,
            account_id=ACCOUNT,
            cue_id="c1",
            transport=Transport.WEBHOOK,
            scheduled_for=at(seconds),
            due_at=at(seconds),
            triggered_by="scheduled",
        )
    ]


def skip(first: float, last: float) -> SlotsSkipped:
    return SlotsSkipped(
        at=at(300), first=at(first), last=at(last), count=1, reason="r", next_run=None
    )


def test_slots_that_end_once_are_right() -> None:
    now = shown(MINUTELY, skip(120, 240), executions=[fire("e1", 60), fire("e2", 300)])
    assert [*broken(now), *unfinished(now)] == []


def test_a_forgotten_slot_is_told() -> None:
    now = shown(MINUTELY, skip(120, 240), executions=[fire("e1", 60)])
    assert list(unfinished(now)) == [f"slot {at(300)} of cue-c1: 0 executions, 0 skips"]


def test_slots_after_the_end_of_the_cue_are_not_asked_for() -> None:
    now = shown(MINUTELY, CueDeleted(at=at(90)), executions=[fire("e1", 60)])
    assert list(unfinished(now)) == []


def test_a_slot_that_fired_twice_is_told() -> None:
    fires = [fire(name, seconds) for name, seconds in [("e1", 60), ("e2", 60), ("e3", 300)]]
    now = shown(MINUTELY, skip(120, 240), executions=fires)
    assert list(broken(now)) == [f"slot {at(60)} of cue-c1: 2 executions, 0 skips"]


def test_a_slot_that_fired_and_was_skipped_is_told() -> None:
    now = shown(MINUTELY, skip(60, 300), executions=[fire("e1", 60)])
    assert list(broken(now)) == [f"slot {at(60)} of cue-c1: 1 executions, 1 skips"]


def test_a_gap_in_the_versions_is_told() -> None:
    now = Snapshot(now=T0, streams={"cue-c1": [Logged(2, ACCOUNT, MINUTELY)]})
    assert list(broken(now)) == ["cue-c1 has the versions [2]"]


def test_wrong_usage_is_told() -> None:
    now = Snapshot(now=T0, streams={}, usage={(ACCOUNT, T0.date()): 1})
    [told] = broken(now)
    assert told.startswith("usage is")


def test_an_episode_with_two_alerts_is_told() -> None:
    alert = AlertRaised(at=T0, alert_id="a", account_id=ACCOUNT, cue_id="c1", kind="k", episode="e")
    streams = {f"alert-{n}": [Logged(1, ACCOUNT, alert)] for n in range(2)}
    assert list(broken(Snapshot(now=T0, streams=streams))) == [
        "2 alerts were raised for ('c1', 'k', 'e')"
    ]


def answered(**fields: object) -> Exchange:
    about = {"method": "POST", "path": "/v1/cues/c1/fire", "sent": {}, "account": "a"}
    return Exchange(**{**about, "status": 200, "body": {"execution_id": "e1"}, **fields})  # type: ignore[arg-type]


def test_a_promise_that_is_not_in_the_log_is_told() -> None:
    [told] = promises.broken(History([answered()]), shown(MINUTELY))
    assert "promised ExecutionScheduled in execution-e1" in told


def test_an_execution_without_a_request_is_told() -> None:
    events = fire("e1", 60)
    by_hand = ExecutionScheduled(
        **{name: getattr(events[0], name) for name in events[0].__struct_fields__}
        | {"triggered_by": "manual_fire"}
    )
    now = shown(MINUTELY, executions=[[by_hand]])
    assert list(promises.broken(History([answered(status=409)]), now)) == [
        "c1 was fired 1x by 0 requests"
    ]
    for unsure in [answered(), answered(status=503), answered(status=None)]:
        assert list(promises.broken(History([unsure]), now)) == []


def test_a_key_with_two_results_is_told() -> None:
    twice = [answered(idempotency_key="k", body={"execution_id": name}) for name in ("e1", "e2")]
    now = shown(MINUTELY, executions=[fire("e1", 60), fire("e2", 120)])
    assert "the key k at /v1/cues/c1/fire gave 2 results" in promises.broken(History(twice), now)


def post(attempt: int = 1, seconds: float = 61.5, status: int | None = 200) -> Arrival:
    headers = CIMultiDict({"X-CueAPI-Execution-Id": "e1", "X-CueAPI-Attempt": str(attempt)})
    return Arrival("POST", headers, b"{}", verified=True, at=at(seconds), answered=status)


DELIVERED = [
    *fire("e1", 60),
    AttemptStarted(at=at(61), epoch=1, lease_until=at(91)),
    AttemptSucceeded(at=at(62), epoch=1, http_status=200),
]


def test_a_delivery_that_was_recorded_is_right() -> None:
    assert list(arrivals.faults([post()], shown(MINUTELY, executions=[DELIVERED]))) == []


@pytest.mark.parametrize(
    ("posts", "told"),
    [
        ([post(), post()], "sent 2x"),
        ([post(), post(attempt=2)], "sent before it was on record"),
        ([post(), post(attempt=2)], "was taken 2x; 0 answers were not heard"),
        ([post(seconds=60.5)], "sent before it was on record"),
        ([], "records 200 for attempt 1: it got None"),
        ([post(status=500)], "records 200 for attempt 1: it got 500"),
    ],
)
def test_deliveries_that_do_not_match_the_log_are_told(posts: list[Arrival], told: str) -> None:
    faults = list(arrivals.faults(posts, shown(MINUTELY, executions=[DELIVERED])))
    assert any(told in fault for fault in faults), faults
