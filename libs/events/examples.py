"""One canonical example of every event and every command, with every field given.

Start from one and change what the test is about: `replace(example(CuePaused), at=now)`. A new
message needs a line here, and an event a golden file (`python -m tests.libs.events.golden_files`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from libs.events import (
    accounts,
    alerts,
    cue_settings,
    cues,
    execution_commands,
    execution_events,
    executions,
)
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
SETTINGS = cue_settings.CueSettings(
    name="morning-review",
    schedule=cue_settings.Schedule(cron="0 9 * * *", timezone="Europe/Berlin"),
    description_ref=SHA256,
    callback=cue_settings.Callback(url="https://agent.example.com/hooks", headers_ref=SHA256),
    payload=PAYLOAD,
    retry=cue_settings.Retry(max_attempts=4, backoff_minutes=(1, 2)),
    delivery=cue_settings.Delivery(timeout_seconds=20, outcome_deadline_seconds=600),
    alerts=cue_settings.AlertRules(consecutive_failures=2, missed_window_multiplier=3),
    catch_up="skip_missed",
    verification=VerificationMode.REQUIRE_EXTERNAL_ID,
    on_failure=cue_settings.OnFailure(
        email=False, webhook="https://ops.example.com/alerts", pause=True
    ),
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
_EXECUTION_EVENTS: Sequence[execution_events.ExecutionEvent] = (
    execution_events.ExecutionScheduled(
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
    execution_events.AttemptPostponed(at=AT, due_at=AT + timedelta(seconds=8)),
    execution_events.AttemptStarted(at=AT, epoch=1, lease_until=AT + timedelta(seconds=35)),
    execution_events.AttemptSucceeded(
        at=AT,
        epoch=1,
        http_status=200,
        response_ref=SHA256,
        outcome_deadline_at=AT + timedelta(minutes=5),
        report=REPORT,
        sent=SENT,
    ),
    execution_events.AttemptFailed(
        at=AT,
        epoch=1,
        error="http_status",
        message="the callback answered 503",
        http_status=503,
        response_ref=SHA256,
        retry_at=AT + timedelta(minutes=1),
        sent=SENT,
    ),
    execution_events.AttemptLost(at=AT, epoch=1, retry_at=AT + timedelta(minutes=1)),
    execution_events.LateResultRecorded(at=AT, epoch=1, http_status=200),
    execution_events.DeliveryFailed(at=AT, attempts=3),
    execution_events.ExecutionClaimed(
        at=AT,
        epoch=1,
        worker_id="worker-1",
        lease_seconds=300,
        lease_until=AT + timedelta(seconds=300),
        expires_at=AT + timedelta(days=1),
        held_by_heartbeat=False,
    ),
    execution_events.LeaseExtended(
        at=AT, epoch=1, lease_until=AT + timedelta(seconds=600), by_worker_heartbeat=True
    ),
    execution_events.LeaseExpired(at=AT, epoch=1, due_at=AT, expires_at=AT + timedelta(minutes=15)),
    execution_events.ExecutionMissed(at=AT),
    execution_events.ExecutionCancelled(at=AT, reason="cue_deleted"),
    execution_events.OutcomeReported(
        at=AT,
        report=REPORT,
        source="api",
        mode=VerificationMode.REQUIRE_EXTERNAL_ID,
        worker_id="worker-1",
    ),
    execution_events.EvidenceAppended(
        at=AT, details_ref=SHA256, evidence=("artifacts",), result_type="report"
    ),
    execution_events.OutcomeVerified(at=AT, by="person"),
    execution_events.VerificationRequested(at=AT, by="person"),
    execution_events.VerificationFailed(
        at=AT, by="person", missing="external_id", reason="the link is dead"
    ),
    execution_events.OutcomeDeadlinePassed(at=AT),
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
_COMMANDS: Sequence[cues.CueCommand | execution_commands.ExecutionCommand | alerts.AlertCommand] = (
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
    execution_commands.ClaimExecution(
        account_id=ACCOUNT, execution_id=EXECUTION, worker_id="worker-1", lease_seconds=60
    ),
    execution_commands.ClaimNextExecution(
        account_id=ACCOUNT,
        worker_id="worker-1",
        task="review",
        tasks=("review", "sync_data"),
        agent="agent-7",
        lease_seconds=60,
    ),
    execution_commands.ExtendLease(
        account_id=ACCOUNT, execution_id=EXECUTION, worker_id="worker-1"
    ),
    execution_commands.RecordWorkerHeartbeat(
        account_id=ACCOUNT, worker_id="worker-1", handlers=("review",)
    ),
    execution_commands.DeleteWorker(account_id=ACCOUNT, worker_id="worker-1"),
    execution_commands.SendTestDelivery(account_id=ACCOUNT, cue_id=CUE),
    execution_commands.ReportOutcome(
        account_id=ACCOUNT, execution_id=EXECUTION, report=REPORT, worker_id="worker-1"
    ),
    execution_commands.AppendEvidence(
        account_id=ACCOUNT,
        execution_id=EXECUTION,
        details_ref=SHA256,
        evidence=("artifacts",),
        result_type="report",
    ),
    execution_commands.VerifyOutcome(
        account_id=ACCOUNT, execution_id=EXECUTION, valid=False, reason="the link is dead"
    ),
    execution_commands.RequestVerification(account_id=ACCOUNT, execution_id=EXECUTION),
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
