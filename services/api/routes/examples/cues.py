"""Examples of what is sent and answered about cues, by the names of the models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.routes.examples.executions import EXECUTION_WIRE
from services.api.routes.examples.words import (
    CUE,
    DUE,
    EXECUTION,
    NAME,
    NEXT_EXECUTION,
    PAYLOAD,
    URL,
)

_CRON = {"type": "recurring", "cron": "0 9 * * *", "timezone": "America/New_York"}
_CUE = {
    "id": CUE,
    "name": NAME,
    "description": None,
    "status": "active",
    "transport": "webhook",
    "schedule": {**_CRON, "at": None},
    "callback": {"url": URL, "method": "POST", "headers": {}},
    "payload": PAYLOAD,
    "retry": {"max_attempts": 3, "backoff_minutes": [1, 5, 15]},
    "delivery": {"timeout_seconds": 30, "outcome_deadline_seconds": 300},
    "alerts": {"consecutive_failures": 3, "missed_window_multiplier": 2},
    "catch_up": "run_once_if_missed",
    "verification": {"mode": "none"},
    "on_failure": {"email": True, "webhook": None, "pause": False},
    "next_run": "2026-03-28T09:00:00-04:00",
    "last_run": None,
    "run_count": 0,
    "fired_count": 0,
    "warning": None,
    "created_at": "2026-03-27T18:00:00.120000Z",
    "updated_at": "2026-03-27T18:00:00.120000Z",
}

CUES: Mapping[str, Any] = {
    "CreateCueBody": {
        "name": NAME,
        "schedule": _CRON,
        "callback": {"url": URL},
        "payload": PAYLOAD,
        "retry": {"max_attempts": 5},
    },
    "CueWire": _CUE,
    "CueListWire": {"cues": [_CUE], "total": 1, "limit": 50, "offset": 0},
    "CueWithExecutionsWire": {
        **_CUE,
        "last_run": "2026-03-28T13:00:01.020000Z",
        "run_count": 1,
        "fired_count": 1,
        "executions": [EXECUTION_WIRE],
        "execution_total": 1,
        "execution_limit": 10,
        "execution_offset": 0,
    },
    "UpdateCueBody": {
        "schedule": {"type": "recurring", "cron": "30 8 * * 1-5"},
        "retry": {"max_attempts": 5},
        "on_failure": None,
    },
    "BulkDeleteBody": {"ids": [CUE, "cue_000000000000"]},
    "BulkDeletedWire": {"deleted": [CUE], "skipped": ["cue_000000000000"]},
    "FireCueBody": {"payload_override": {"dry_run": True}, "merge_strategy": "merge"},
    "FireWire": {
        "id": NEXT_EXECUTION,
        "execution_id": NEXT_EXECUTION,
        "cue_id": CUE,
        "scheduled_for": "2026-03-28T14:02:11.500000Z",
        "status": "pending",
        "triggered_by": "manual_fire",
        "payload": {"task": "generate_briefing", "dry_run": True},
    },
    "DeliveryTestWire": {
        "cue_id": CUE,
        "result": "delivered",
        "duration_ms": 184,
        "error": None,
        "error_message": None,
        "request": {
            "method": "POST",
            "url": URL,
            "headers": {"Content-Type": "application/json", "X-CueAPI-Test": "true"},
            "body": '{"attempt": 1, "cue_id": "cue_x7k9m2p4q8w1"}',
            "body_truncated": False,
        },
        "response": {
            "status": 200,
            "headers": {"content-type": "application/json"},
            "body": '{"success": true}',
            "body_truncated": False,
        },
    },
    "SlotsWire": {
        "cue_id": CUE,
        "slots": [
            {
                "slot": DUE,
                "verdict": "ran",
                "execution_id": EXECUTION,
                "status": "success",
                "reason": None,
            }
        ],
        "total": 1,
        "truncated": False,
    },
    "ExplanationWire": {
        "at": "2026-03-27T13:00:00Z",
        "slot": "2026-03-27T13:00:00Z",
        "verdict": "skipped",
        "reason": "paused",
        "execution_id": None,
        "summary": "The cue was paused when this slot came.",
        "hint": "Resume the cue; what passed while it was paused is not caught up on.",
    },
    "PreviewBody": {"schedule": _CRON, "count": 1},
    "PreviewWire": {
        "description": "At 09:00, every day, America/New_York",
        "next": [{"at": DUE, "local": "2026-03-28T09:00:00-04:00", "dst": None}],
        "smallest_interval_seconds": 86_400,
    },
}
