"""Cues on the command line: lines for people, documents for scripts, what is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.cli.conftest import KEY, Cli
from tests.clients.cli.fake_api import CUE, FakeApi, refusal

CREATE = ("create", "--name", "morning", "--cron", "0 9 * * *", "--url", "https://example.com/hook")
PATH = f"/v1/cues/{CUE['id']}"


def test_create(cli: Cli, api: FakeApi) -> None:
    api.answers["POST /v1/cues"] = CUE
    assert cli.ok(*CREATE, "--payload", '{"task": "brief"}').splitlines() == [
        "Created: cue_x7k9m2p4q8w1",
        "Status: active",
        "Next run: 2026-03-28T09:00:00Z",
    ]
    assert api.sent == {
        "name": "morning",
        "schedule": {"type": "recurring", "cron": "0 9 * * *", "timezone": "UTC"},
        "transport": "webhook",
        "callback": {"url": "https://example.com/hook", "method": "POST"},
        "payload": {"task": "brief"},
    }
    assert api.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert api.requests[-1].headers["idempotency-key"]


def test_a_payload_from_a_file_and_from_standard_input(
    cli: Cli, api: FakeApi, tmp_path: Path
) -> None:
    api.answers["POST /v1/cues"] = CUE
    file = tmp_path / "payload.json"
    file.write_text('{"from": "file"}')
    cli.ok(*CREATE, "--payload", f"@{file}")
    assert api.sent["payload"] == {"from": "file"}
    cli.ok(*CREATE, "--payload", "-", stdin='{"from": "stdin"}')
    assert api.sent["payload"] == {"from": "stdin"}


@pytest.mark.parametrize(
    "words",
    [
        ("create", "--name", "x", "--worker"),
        ("create", "--name", "x", "--cron", "* * * * *", "--at", "+1m", "--worker"),
        ("create", "--name", "x", "--cron", "* * * * *"),
        (*CREATE, "--payload", "{nonsense"),
        (*CREATE, "--payload", "[1]"),
        (*CREATE, "--payload", '{"a": NaN}'),
        (*CREATE, "--payload", "@/not/there.json"),
        ("create", "--name", "x", "--at", "tomorrow", "--worker"),
        ("create",),
        ("create", "--nonsense"),
        ("nonsense",),
        ("update", "cue_x"),
        ("fire", "cue_x", "--exit-criteria", "{}"),
        (*CREATE, "--required-keys", "a"),
        ("update", "cue_x", "--name", "y", "--require-payload-override"),
        ("list", "--jq", "cues["),
        ("list", "--limit", "many"),
    ],
)
def test_wrong_use_ends_with_2_and_sends_nothing(
    cli: Cli, api: FakeApi, words: tuple[str, ...]
) -> None:
    api.answers["GET /v1/cues"] = {"cues": [], "total": 0}
    result = cli(*words)
    assert result.exit_code == 2, result.output
    assert [each for each in api.asked if not each.startswith("GET")] == []
    assert "Traceback" not in result.output


def test_dry_run_shows_what_would_be_sent(cli: Cli, api: FakeApi) -> None:
    preview = {
        "description": "At 09:00, every day",
        "next": [{"at": "x", "local": "2026-03-29T02:30:00", "dst": "gap"}],
        "smallest_interval_seconds": 86400,
    }
    api.answers["POST /v1/schedules/preview"] = preview
    told = cli.ok(*CREATE, "--dry-run")
    assert "At 09:00, every day" in told
    assert "the clock jumps over it" in told
    assert "Would send: POST /v1/cues" in told
    assert json.loads(told[told.index("{") :])["name"] == "morning"
    assert api.asked == ["POST /v1/schedules/preview"]
    assert "Would send: DELETE" in cli.ok("--dry-run", "delete", str(CUE["id"]), "--yes")


@pytest.fixture
def page(api: FakeApi) -> dict[str, Any]:
    listed = {"cues": [CUE, {**CUE, "id": "cue_2", "next_run": None}], "total": 7}
    api.answers["GET /v1/cues"] = listed
    return listed


def test_a_list_for_scripts_is_lines_of_tabs(cli: Cli, page: dict[str, Any]) -> None:
    assert cli.ok("list").splitlines() == [
        "cue_x7k9m2p4q8w1\tmorning\tactive\t2026-03-28T09:00:00Z",
        "cue_2\tmorning\tactive\t-",
    ]


def test_a_list_for_people_is_a_table(cli: Cli, page: dict[str, Any]) -> None:
    cli.terminal = True
    assert cli.ok("list").splitlines() == [
        "ID                NAME     STATUS  NEXT RUN",
        "cue_x7k9m2p4q8w1  morning  active  2026-03-28T09:00:00Z",
        "cue_2             morning  active  -",
        "2 of 7",
    ]


def test_json_jq_and_ids(cli: Cli, page: dict[str, Any]) -> None:
    assert json.loads(cli.ok("list", "--json")) == page
    assert json.loads(cli.ok("--json", "list")) == page
    assert cli.ok("list", "--jq", ".cues[].name") == "morning\nmorning\n"
    assert cli.ok("list", "--jq=.total") == "7\n"
    assert cli.ok("list", "-q") == "cue_x7k9m2p4q8w1\ncue_2\n"


def test_what_is_asked_for_in_a_list(cli: Cli, api: FakeApi, page: dict[str, Any]) -> None:
    cli.ok("list", "--status", "paused", "--limit", "5", "--offset", "10")
    assert dict(api.requests[-1].url.params) == {"status": "paused", "limit": "5", "offset": "10"}


def test_get(cli: Cli, api: FakeApi) -> None:
    run = {"id": "e1", "scheduled_for": "t", "status": "failed", "attempts": 3}
    run |= {"http_status": 500, "error_message": "answered (500)"}
    api.answers[f"GET {PATH}"] = {**CUE, "executions": [run]}
    told = cli.ok("get", str(CUE["id"]))
    assert "Schedule: 0 9 * * * (UTC)" in told
    assert "Goes to: POST https://example.com/hook" in told
    assert "  e1  t  failed  attempts 3  http 500  answered (500)" in told


def test_changes(cli: Cli, api: FakeApi) -> None:
    api.answers[f"PATCH {PATH}"] = CUE
    cue_id = str(CUE["id"])
    assert cli.ok("pause", cue_id) == f"Paused: {cue_id} (morning)\n"
    assert api.sent == {"status": "paused"}
    assert cli.ok("resume", cue_id).startswith(f"Resumed: {cue_id} (morning)\nNext run: ")
    assert api.sent == {"status": "active"}
    update = ("update", cue_id, "--name", "n", "--url", "https://e.example/", "--retry", "{}")
    assert cli.ok(*update) == f"Updated: {cue_id} (morning)\n"
    assert api.sent == {"name": "n", "callback": {"url": "https://e.example/"}, "retry": {}}


def test_delete_asks_first(cli: Cli, api: FakeApi) -> None:
    cue_id = str(CUE["id"])
    api.answers |= {f"GET {PATH}": CUE, f"DELETE {PATH}": httpx.Response(204)}
    refused = cli("delete", cue_id, stdin="n\n")
    assert refused.exit_code == 1
    assert "Delete morning" in refused.output
    assert f"DELETE {PATH}" not in api.asked
    assert cli.ok("delete", cue_id, stdin="y\n").endswith("Deleted.\n")
    assert cli.ok("delete", cue_id, "-y") == "Deleted.\n"


def test_bulk_delete(cli: Cli, api: FakeApi) -> None:
    api.answers["POST /v1/cues/bulk-delete"] = {"deleted": ["a"], "skipped": ["b"]}
    told = cli.ok("bulk-delete", "a", "b", "--yes")
    assert told == "Deleted: 1\nSkipped: b (not found)\n"
    assert api.requests[-1].headers["x-confirm-destructive"] == "true"


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "invalid_schedule", 1),
        (401, "invalid_api_key", 4),
        (403, "cue_limit_exceeded", 5),
        (403, "not_execution_owner", 1),
        (404, "cue_not_found", 3),
        (409, "duplicate_cue_name", 1),
        (422, "validation_error", 1),
    ],
)
def test_refusals_tell_reason_next_step_and_request(
    cli: Cli, api: FakeApi, status: int, code: str, exit_code: int
) -> None:
    api.answers["POST /v1/cues"] = refusal(status, code, "the reason", hint="the next step")
    result = cli(*CREATE)
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert f"Error: the reason ({code})" in result.stderr
    assert "Hint: " in result.stderr
    assert "Request id: req-1" in result.stderr


def test_rate_limits_end_with_5_after_retries(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/cues"] = refusal(429, "rate_limit_exceeded", "slow down")
    assert cli("list").exit_code == 5
    assert len(api.requests) == 3
    assert len(cli.waited) == 2


def test_every_fault_in_a_field_is_told(cli: Cli, api: FakeApi) -> None:
    details = [{"field": "body.name", "message": "a"}, {"field": "body.retry", "message": "b"}]
    api.answers["POST /v1/cues"] = refusal(422, "validation_error", "no", details=details)
    assert "  body.name: a\n  body.retry: b\n" in cli(*CREATE).stderr


def test_a_server_that_is_away(cli: Cli, api: FakeApi) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    api.answers["GET /v1/cues"] = broken
    result = cli("list")
    assert result.exit_code == 1
    assert "Hint: Is the server there?" in result.stderr
