"""What each tool asks of the API, for the arguments that an agent gives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cueapi_mcp.tools import TOOLS
from pydantic import ValidationError

GOLDEN = Path(__file__).parent / "tools.json"
BY_NAME = {tool.tool_name(): tool for tool in TOOLS}
ID = "550e8400-e29b-41d4-a716-446655440000"
CUE = "cue_x7k9m2p4q8w1"

CALLS: list[tuple[str, dict[str, Any], str, Any]] = [
    (
        "create_cue",
        {"name": "brief", "cron": "0 9 * * *", "callback_url": "https://a.example/hook"},
        "POST /v1/cues",
        {
            "name": "brief",
            "schedule": {"type": "recurring", "cron": "0 9 * * *", "timezone": "UTC"},
            "transport": "webhook",
            "callback": {"url": "https://a.example/hook"},
            "payload": {},
        },
    ),
    (
        "create_cue",
        {
            "name": "sync",
            "at": "2030-01-01T00:00:00Z",
            "worker": True,
            "timezone": "Europe/Berlin",
            "payload": {"task": "sync"},
            "description": "Sync it",
            "verification": "require_external_id",
        },
        "POST /v1/cues",
        {
            "name": "sync",
            "schedule": {
                "type": "once",
                "at": "2030-01-01T00:00:00Z",
                "timezone": "Europe/Berlin",
            },
            "transport": "worker",
            "payload": {"task": "sync"},
            "description": "Sync it",
            "verification": {"mode": "require_external_id"},
        },
    ),
    ("list_cues", {}, "GET /v1/cues?limit=20&offset=0", None),
    (
        "list_cues",
        {"status": "paused", "limit": 5, "offset": 10},
        "GET /v1/cues?status=paused&limit=5&offset=10",
        None,
    ),
    ("get_cue", {"cue_id": CUE}, f"GET /v1/cues/{CUE}", None),
    (
        "update_cue",
        {"cue_id": CUE, "cron": "*/5 * * * *", "callback_url": "https://b.example/"},
        f"PATCH /v1/cues/{CUE}",
        {
            "schedule": {"type": "recurring", "cron": "*/5 * * * *"},
            "callback": {"url": "https://b.example/"},
        },
    ),
    ("update_cue", {"cue_id": CUE, "name": "n"}, f"PATCH /v1/cues/{CUE}", {"name": "n"}),
    ("pause_cue", {"cue_id": CUE}, f"PATCH /v1/cues/{CUE}", {"status": "paused"}),
    ("resume_cue", {"cue_id": CUE}, f"PATCH /v1/cues/{CUE}", {"status": "active"}),
    ("delete_cue", {"cue_id": CUE}, f"DELETE /v1/cues/{CUE}", None),
    ("fire_cue", {"cue_id": CUE}, f"POST /v1/cues/{CUE}/fire", {}),
    (
        "fire_cue",
        {"cue_id": CUE, "payload_override": {"n": 1}, "merge_strategy": "replace"},
        f"POST /v1/cues/{CUE}/fire",
        {"payload_override": {"n": 1}, "merge_strategy": "replace"},
    ),
    (
        "preview_schedule",
        {"cron": "0 9 * * *", "timezone": "Europe/Berlin"},
        "POST /v1/schedules/preview",
        {
            "schedule": {"type": "recurring", "cron": "0 9 * * *", "timezone": "Europe/Berlin"},
            "count": 5,
        },
    ),
    (
        "explain",
        {"cue_id": CUE, "at": "2026-03-28T13:00:00Z"},
        f"GET /v1/cues/{CUE}/explain?at=2026-03-28T13:00:00Z",
        None,
    ),
    (
        "list_executions",
        {"cue_id": CUE, "status": "failed"},
        f"GET /v1/executions?cue_id={CUE}&status=failed&limit=20&offset=0",
        None,
    ),
    ("get_execution", {"execution_id": ID}, f"GET /v1/executions/{ID}", None),
    ("get_execution_timeline", {"execution_id": ID}, f"GET /v1/executions/{ID}/timeline", None),
    ("replay", {"execution_id": ID}, f"POST /v1/executions/{ID}/replay", None),
    (
        "report_outcome",
        {"execution_id": ID, "success": True, "external_id": "t-1", "worker_id": "me"},
        f"POST /v1/executions/{ID}/outcome",
        {"success": True, "external_id": "t-1", "worker_id": "me"},
    ),
    (
        "append_evidence",
        {"execution_id": ID, "result_url": "https://a.example/1", "summary": None},
        f"PATCH /v1/executions/{ID}/evidence",
        {"result_url": "https://a.example/1"},
    ),
    (
        "verify",
        {"execution_id": ID, "valid": False, "reason": "no"},
        f"POST /v1/executions/{ID}/verify",
        {"valid": False, "reason": "no"},
    ),
    (
        "list_claimable_executions",
        {"task_name": "sync", "agent": "mini"},
        "GET /v1/executions/claimable?task=sync&agent=mini",
        None,
    ),
    (
        "claim_execution",
        {"execution_id": ID, "worker_id": "me"},
        f"POST /v1/executions/{ID}/claim",
        {"worker_id": "me"},
    ),
    (
        "claim_next_execution",
        {"worker_id": "me", "task_name": "sync"},
        "POST /v1/executions/claim",
        {"worker_id": "me", "task": "sync"},
    ),
    (
        "execution_heartbeat",
        {"execution_id": ID, "worker_id": "me"},
        f"POST /v1/executions/{ID}/heartbeat",
        None,
    ),
    ("list_workers", {}, "GET /v1/workers", None),
    (
        "list_alerts",
        {"alert_type": "missed_window", "acknowledged": False},
        "GET /v1/alerts?alert_type=missed_window&acknowledged=false&limit=20&offset=0",
        None,
    ),
    ("acknowledge_alert", {"alert_id": ID}, f"POST /v1/alerts/{ID}/acknowledge", None),
    ("usage", {}, "GET /v1/usage", None),
]


@pytest.mark.parametrize(("name", "arguments", "line", "body"), CALLS)
def test_a_tool_means_one_call(name: str, arguments: dict[str, Any], line: str, body: Any) -> None:
    call = BY_NAME[f"cueapi_{name}"].model_validate(arguments).call()
    query = "&".join(f"{each}={value}" for each, value in call.query.items())
    assert f"{call.method} {call.path}{'?' if query else ''}{query}" == line
    assert call.json == body


def test_a_heartbeat_names_its_worker() -> None:
    tool = BY_NAME["cueapi_execution_heartbeat"]
    call = tool.model_validate({"execution_id": ID, "worker_id": "me"}).call()
    assert call.headers == {"X-Worker-Id": "me"}


def test_each_tool_is_called_above() -> None:
    assert {f"cueapi_{name}" for name, *_ in CALLS} == set(BY_NAME)


def test_what_agents_read_is_as_agreed() -> None:
    """After a wanted change, write what this prints into tools.json."""
    listed = [tool.listed().model_dump(by_alias=True, exclude_none=True) for tool in TOOLS]
    assert listed == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("create_cue", {"name": "n", "worker": True}, "exactly one of cron and at"),
        ("create_cue", {"name": "n", "cron": "* * * * *"}, "callback_url, or worker"),
        (
            "create_cue",
            {"name": "n", "worker": True, "cron": "* * * * *", "at": "2030-01-01T00:00:00Z"},
            "exactly one of cron and at",
        ),
        ("update_cue", {"cue_id": CUE, "timezone": "UTC"}, "exactly one of cron and at"),
        ("get_cue", {"cue_id": "../auth/key"}, "should match pattern"),
        ("get_cue", {}, "Field required"),
        ("get_cue", {"cue_id": CUE, "verbose": True}, "Extra inputs"),
        ("report_outcome", {"execution_id": ID, "success": "true"}, "valid boolean"),
        ("preview_schedule", {}, "exactly one of cron and at"),
        ("list_cues", {"limit": 101}, "less than or equal to 100"),
    ],
)
def test_wrong_arguments_are_refused(name: str, arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        BY_NAME[f"cueapi_{name}"].model_validate(arguments)
