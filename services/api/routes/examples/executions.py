"""Examples of what is sent and answered about executions, by the names of the models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.routes.examples.words import (
    ALERT,
    CUE,
    DUE,
    EXECUTION,
    NAME,
    NEXT_EXECUTION,
    PAGE,
    PAYLOAD,
    TRACE,
    WORKER,
)

_STARTED = "2026-03-28T13:00:00.310000Z"
_DELIVERED = "2026-03-28T13:00:01.020000Z"
EXECUTION_WIRE: Mapping[str, Any] = {
    "id": EXECUTION,
    "cue_id": CUE,
    "cue_name": NAME,
    "transport": "webhook",
    "status": "success",
    "triggered_by": "scheduled",
    "replayed_from": None,
    "scheduled_for": DUE,
    "payload": PAYLOAD,
    "attempts": 1,
    "http_status": 200,
    "response_body": '{"success": true}',
    "error_message": None,
    "next_retry": None,
    "started_at": _STARTED,
    "delivered_at": _DELIVERED,
    "last_attempt_at": _STARTED,
    "outcome_deadline_at": None,
    "claimed_by_worker": None,
    "claimed_at": None,
    "last_heartbeat_at": None,
    "lease_expires_at": None,
    "outcome_state": "reported_success",
    "outcome_success": True,
    "outcome": {
        "success": True,
        "result": "Briefing sent to 3 users",
        "error": None,
        "metadata": None,
        "recorded_at": _DELIVERED,
        "source": "response",
        "external_id": None,
        "result_url": None,
        "result_ref": None,
        "result_type": None,
        "summary": None,
        "artifacts": None,
        "evidence_metadata": None,
        "validation_state": None,
    },
    "trace_id": TRACE,
    "created_at": "2026-03-28T13:00:00.100000Z",
    "updated_at": _DELIVERED,
}
_HAPPENED = {
    "at": _STARTED,
    "type": "AttemptStarted",
    "summary": "Attempt 1 was started.",
    "data": {"epoch": 1},
    "actor": "dispatcher",
    "trace_id": TRACE,
    "version": 2,
}
_EVIDENCE = {
    "external_id": "msg_18f2c",
    "result_url": "https://mail.example.com/sent/18f2c",
    "summary": "Briefing with 7 items, sent to 3 users",
}
_ALERT = {
    "id": ALERT,
    "alert_type": "consecutive_failure",
    "severity": "warning",
    "cue_id": CUE,
    "cue_name": NAME,
    "execution_id": EXECUTION,
    "message": "morning-briefing failed 3 times in a row",
    "metadata": {"consecutive_failures": 3, "threshold": 3},
    "acknowledged": False,
    "acknowledged_at": None,
    "created_at": "2026-03-28T13:20:00Z",
}
_LEASE_ENDS = "2026-03-28T13:15:02Z"

EXECUTIONS: Mapping[str, Any] = {
    "ExecutionWire": EXECUTION_WIRE,
    "ExecutionListWire": {
        "executions": [EXECUTION_WIRE],
        **PAGE,
        "has_more": False,
        "oldest_claimed_at": None,
    },
    "ReplayWire": {
        "id": NEXT_EXECUTION,
        "execution_id": NEXT_EXECUTION,
        "cue_id": CUE,
        "scheduled_for": "2026-03-28T14:10:00Z",
        "status": "pending",
        "triggered_by": "replay",
        "payload": PAYLOAD,
        "replayed_from": EXECUTION,
    },
    "ReplayManyBody": {"cue_id": CUE, "status": "failed", "since": "2026-03-28T00:00:00Z"},
    "ReplayedManyWire": {
        "matched": 2,
        "replayed": 1,
        "skipped": [{"execution_id": EXECUTION, "reason": "execution_in_flight"}],
        "execution_ids": [NEXT_EXECUTION],
    },
    "ClaimableWire": {
        "executions": [
            {
                "execution_id": EXECUTION,
                "cue_id": CUE,
                "cue_name": "daily-sync",
                "task": "sync_data",
                "scheduled_for": DUE,
                "payload": {"task": "sync_data"},
                "attempt": 1,
            }
        ]
    },
    "ClaimNextBody": {
        "worker_id": WORKER,
        "tasks": ["sync_data", "send_report"],
        "wait_seconds": 20,
    },
    "ClaimBody": {"worker_id": WORKER},
    "ClaimWire": {
        "claimed": True,
        "execution_id": EXECUTION,
        "worker_id": WORKER,
        "lease_seconds": 900,
        "lease_expires_at": _LEASE_ENDS,
        "attempt": 1,
        "payload": {"task": "sync_data"},
        "cue_id": CUE,
        "cue_name": "daily-sync",
        "scheduled_for": "2026-03-28T14:00:00Z",
    },
    "HeartbeatBody": {"worker_id": WORKER},
    "LeaseWire": {
        "execution_id": EXECUTION,
        "acknowledged": True,
        "lease_extended_until": _LEASE_ENDS,
    },
    "OutcomeBody": {"success": True, "result": "Briefing sent to 3 users", **_EVIDENCE},
    "ReportedWire": {
        "execution_id": EXECUTION,
        "outcome_recorded": True,
        "outcome_state": "verified_success",
        "outcome_success": True,
        "status": "success",
        "reason": None,
    },
    "EvidenceBody": _EVIDENCE,
    "EvidenceWire": {
        "execution_id": EXECUTION,
        "outcome_state": "verified_success",
        "outcome_success": True,
        "evidence_updated": True,
    },
    "VerifyBody": {"valid": False, "reason": "The briefing is yesterday's"},
    "VerifiedWire": {
        "execution_id": EXECUTION,
        "outcome_state": "verification_failed",
        "valid": False,
        "reason": "The briefing is yesterday's",
    },
    "VerificationPendingWire": {
        "execution_id": EXECUTION,
        "outcome_state": "verification_pending",
    },
    "TimelineWire": {"execution_id": EXECUTION, "events": [_HAPPENED], "total": 1},
    "StreamedEventWire": {**_HAPPENED, "cue_id": CUE, "execution_id": EXECUTION},
    "AttemptsWire": {
        "execution_id": EXECUTION,
        "attempts": [
            {
                "attempt": 1,
                "started_at": _STARTED,
                "ended_at": _DELIVERED,
                "result": "delivered",
                "request_headers": {"X-CueAPI-Attempt": "1", "Authorization": "***"},
                "http_status": 200,
                "response_body": '{"success": true}',
                "error": None,
                "error_message": None,
                "retry_at": None,
            }
        ],
        "total": 1,
    },
    "WorkerHeartbeatBody": {"worker_id": WORKER, "handlers": ["sync_data"]},
    "WorkerHeartbeatWire": {"acknowledged": True, "server_time": "2026-03-28T13:00:00.200000Z"},
    "WorkerListWire": {
        "workers": [
            {
                "worker_id": WORKER,
                "heartbeat_status": "active",
                "last_heartbeat": DUE,
                "seconds_since_heartbeat": 12,
                "handlers": ["sync_data"],
                "registered_since": "2026-03-01T08:00:00Z",
            }
        ],
        "total": 1,
    },
    "AlertListWire": {"alerts": [_ALERT], **PAGE},
    "AlertWire": {**_ALERT, "acknowledged": True, "acknowledged_at": "2026-03-28T13:45:00Z"},
}
