"""One canonical example of every event and every command, with every field given.

Start from one and change what the test is about: `replace(example(CuePaused), at=now)`. A new
message needs a line here, and an event a golden file (`python -m tests.libs.events.golden_files`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from libs.events import accounts, alerts, cues, executions
from libs.events.base import Command, Event, Reference, Transport, VerificationMode

M = TypeVar("M", bound=Command | Event)

AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ACCOUNT = "0195f0a0-0000-7000-8000-00000000acc0"
CUE = "cue_a1b2c3d4e5f6"
EXECUTION = "0195f0a0-0000-7000-8000-00000000e0e0"
ALERT = "0195f0a0-0000-7000-8000-00000000a1a1"
SHA256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

REPORT = executions.Report(
    success=True, details_ref=SHA256, evidence=("external_id", "result_url"), result_type="pr"
)
PAYLOAD = Reference(sha256=SHA256, task="review", agent="agent-7")
SENT = executions.SentHeaders(
    timestamp=1_772_355_600,
    signature="v1=" + "5e" * 32,
    webhook_signature="v1," + "Xl5e" * 10 + "Xl4=",
    previous_signature="v1=" + "a0" * 32,
    traceparent=TRACE,
    own=("Authorization",),
)
SETTINGS = cues.CueSettings(
    name="morning-review",
    schedule=cues.Schedule(cron="0 9 * * *", timezone="Europe/Berlin"),
    description_ref=SHA256,
    callback=cues.Callback(url="https://agent.example.com/hooks", headers_ref=SHA256),
    payload=PAYLOAD,
    retry=cues.Retry(max_attempts=4, backoff_minutes=(1, 2)),
    delivery=cues.Delivery(timeout_seconds=20, outcome_deadline_seconds=600),
    alerts=cues.AlertRules(consecutive_failures=2, missed_window_multiplier=3),
    catch_up="skip_missed",
    verification=VerificationMode.REQUIRE_EXTERNAL_ID,
    on_failure=cues.OnFailure(email=False, webhook="https://ops.example.com/alerts", pause=True),
)

_ACCOUNT_EVENTS: Sequence[accounts.AccountEvent] = (
    accounts.AccountRegistered(at=AT, account_id=ACCOUNT, plan="free"),
    accounts.ApiKeyIssued(
        at=AT, key_id=EXECUTION, label="laptop", created_by="registration", is_default=True
    ),
    accounts.ApiKeyRevoked(at=AT, key_id=EXECUTION, reason="rotated"),
    accounts.ApiKeyShown(at=AT, key_id=EXECUTION),
    accounts.WebhookSecretRotated(at=AT),
    accounts.PlanChanged(at=AT, plan="pro"),
    accounts.LimitsChanged(
        at=AT,
        limits=accounts.Limits(active_cues=25, executions_per_month=1_000, requests_per_minute=120),
    ),
)
_CUE_EVENTS: Sequence[cues.CueEvent] = (
    cues.CueCreated(
        at=AT,
        cue_id=CUE,
        account_id=ACCOUNT,
        settings=SETTINGS,
        next_run=AT + timedelta(hours=1),
    ),
    cues.CueUpdated(at=AT, settings=SETTINGS, next_run=AT + timedelta(hours=2), reactivated=True),
    cues.CuePaused(at=AT, reason="on_failure"),
    cues.CueResumed(at=AT, next_run=AT + timedelta(days=1)),
    cues.SlotsSkipped(
        at=AT,
        first=AT - timedelta(days=3),
        last=AT - timedelta(days=1),
        count=3,
        reason="catch_up",
        next_run=AT + timedelta(days=1),
    ),
    cues.CueCompleted(at=AT, execution_id=EXECUTION),
    cues.CueFailed(at=AT, execution_id=EXECUTION),
    cues.CueDeleted(at=AT),
)
_EXECUTION_EVENTS: Sequence[executions.ExecutionEvent] = (
    executions.ExecutionScheduled(
        at=AT,
        execution_id=EXECUTION,
        account_id=ACCOUNT,
        cue_id=CUE,
        transport=Transport.WEBHOOK,
        scheduled_for=AT,
        due_at=AT,
        triggered_by="scheduled",
        payload=PAYLOAD,
        replayed_from=ALERT,
        expires_at=AT + timedelta(minutes=15),
        next_run=AT + timedelta(days=1),
        starts_grace=True,
        traceparent=TRACE,
    ),
    executions.AttemptPostponed(at=AT, due_at=AT + timedelta(seconds=8)),
    executions.AttemptStarted(at=AT, epoch=1, lease_until=AT + timedelta(seconds=35)),
    executions.AttemptSucceeded(
        at=AT,
        epoch=1,
        http_status=200,
        response_ref=SHA256,
        outcome_deadline_at=AT + timedelta(minutes=5),
        report=REPORT,
        sent=SENT,
    ),
    executions.AttemptFailed(
        at=AT,
        epoch=1,
        error="http_status",
        message="the callback answered 503",
        http_status=503,
        response_ref=SHA256,
        retry_at=AT + timedelta(minutes=1),
        sent=SENT,
    ),
    executions.AttemptLost(at=AT, epoch=1, retry_at=AT + timedelta(minutes=1)),
    executions.LateResultRecorded(at=AT, epoch=1, http_status=200),
    executions.DeliveryFailed(at=AT, attempts=3),
    executions.ExecutionClaimed(
        at=AT,
        epoch=1,
        worker_id="worker-1",
        lease_seconds=300,
        lease_until=AT + timedelta(seconds=300),
        expires_at=AT + timedelta(days=1),
        held_by_heartbeat=False,
    ),
    executions.LeaseExtended(
        at=AT, epoch=1, lease_until=AT + timedelta(seconds=600), by_worker_heartbeat=True
    ),
    executions.LeaseExpired(at=AT, epoch=1, due_at=AT, expires_at=AT + timedelta(minutes=15)),
    executions.ExecutionMissed(at=AT),
    executions.ExecutionCancelled(at=AT, reason="cue_deleted"),
    executions.OutcomeReported(
        at=AT,
        report=REPORT,
        source="api",
        mode=VerificationMode.REQUIRE_EXTERNAL_ID,
        worker_id="worker-1",
    ),
    executions.EvidenceAppended(
        at=AT, details_ref=SHA256, evidence=("artifacts",), result_type="report"
    ),
    executions.OutcomeVerified(at=AT, by="person"),
    executions.VerificationRequested(at=AT, by="person"),
    executions.VerificationFailed(
        at=AT, by="person", missing="external_id", reason="the link is dead"
    ),
    executions.OutcomeDeadlinePassed(at=AT),
)
_ALERT_EVENTS: Sequence[alerts.AlertEvent] = (
    alerts.AlertRaised(
        at=AT,
        alert_id=ALERT,
        account_id=ACCOUNT,
        cue_id=CUE,
        kind="consecutive_failure",
        episode=EXECUTION,
        execution_id=EXECUTION,
        facts={"count": 3},
    ),
    alerts.AlertAcknowledged(at=AT),
    alerts.NotificationSent(at=AT, channel="email"),
    alerts.NotificationFailed(at=AT, channel="webhook", error="refused"),
)
_COMMANDS: Sequence[cues.CueCommand | executions.ExecutionCommand | alerts.AlertCommand] = (
    cues.CreateCue(account_id=ACCOUNT, cue_id=CUE, settings=SETTINGS),
    cues.UpdateCue(
        account_id=ACCOUNT,
        cue_id=CUE,
        changes={"retry": {"max_attempts": 5}},
        status="paused",
        if_version=3,
    ),
    cues.DeleteCue(account_id=ACCOUNT, cue_id=CUE, if_version=3),
    cues.FireCue(
        account_id=ACCOUNT,
        cue_id=CUE,
        execution_id=EXECUTION,
        payload=PAYLOAD,
        send_at=AT + timedelta(hours=1),
    ),
    cues.ReplayExecution(account_id=ACCOUNT, replayed_id=EXECUTION, execution_id=ALERT),
    executions.ClaimExecution(
        account_id=ACCOUNT, execution_id=EXECUTION, worker_id="worker-1", lease_seconds=60
    ),
    executions.ClaimNextExecution(
        account_id=ACCOUNT,
        worker_id="worker-1",
        task="review",
        tasks=("review", "sync_data"),
        agent="agent-7",
        lease_seconds=60,
    ),
    executions.ExtendLease(account_id=ACCOUNT, execution_id=EXECUTION, worker_id="worker-1"),
    executions.RecordWorkerHeartbeat(
        account_id=ACCOUNT, worker_id="worker-1", handlers=("review",)
    ),
    executions.DeleteWorker(account_id=ACCOUNT, worker_id="worker-1"),
    executions.SendTestDelivery(account_id=ACCOUNT, cue_id=CUE),
    executions.ReportOutcome(
        account_id=ACCOUNT, execution_id=EXECUTION, report=REPORT, worker_id="worker-1"
    ),
    executions.AppendEvidence(
        account_id=ACCOUNT,
        execution_id=EXECUTION,
        details_ref=SHA256,
        evidence=("artifacts",),
        result_type="report",
    ),
    executions.VerifyOutcome(
        account_id=ACCOUNT, execution_id=EXECUTION, valid=False, reason="the link is dead"
    ),
    executions.RequestVerification(account_id=ACCOUNT, execution_id=EXECUTION),
    alerts.AcknowledgeAlert(account_id=ACCOUNT, alert_id=ALERT),
)

EXAMPLES: Mapping[type, Command | Event] = {
    type(message): message
    for message in (
        *_ACCOUNT_EVENTS,
        *_CUE_EVENTS,
        *_EXECUTION_EVENTS,
        *_ALERT_EVENTS,
        *_COMMANDS,
    )
}


def example(kind: type[M]) -> M:
    """Give the canonical example of an event or a command. Raises `KeyError` if there is none."""
    return cast("M", EXAMPLES[kind])
