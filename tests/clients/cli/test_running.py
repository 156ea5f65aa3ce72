"""Executions, alerts, workers, keys, plans, and what happens live."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.clients.cli.conftest import Cli
from tests.clients.cli.fake_api import CUE, RUN, FakeApi, events, refusal

RUN_ID = str(RUN["id"])
PATH = f"/v1/executions/{RUN_ID}"
FIRED = {
    "id": RUN_ID,
    "execution_id": RUN_ID,
    "cue_id": CUE["id"],
    "scheduled_for": "2026-03-28T13:00:00Z",
    "status": "pending",
    "triggered_by": "manual_fire",
}
FIRE = f"POST /v1/cues/{CUE['id']}/fire"
EVENT = {
    "at": "2026-03-28T13:00:00Z",
    "type": "AttemptSucceeded",
    "summary": "Attempt 1 was answered 200: delivered",
    "data": {},
    "actor": "dispatcher",
    "trace_id": None,
    "version": 3,
    "cue_id": CUE["id"],
    "execution_id": RUN_ID,
}


def test_fire(cli: Cli, api: FakeApi) -> None:
    api.answers[FIRE] = FIRED
    words = ("--payload-override", '{"a": 1}', "--merge-strategy", "replace")
    told = cli.ok("fire", str(CUE["id"]), *words, "--idempotency-key", "k")
    assert told == f"Fired: {RUN_ID}\nScheduled for: 2026-03-28T13:00:00Z\n"
    assert api.sent["payload_override"] == {"a": 1}
    assert api.sent["merge_strategy"] == "replace"
    assert api.requests[-1].headers["idempotency-key"] == "k"


RUNNING = {**RUN, "status": "delivering", "outcome_state": None}
DELIVERED = {**RUN, "outcome_state": None, "outcome": None, "outcome_deadline_at": "later"}
FAILED = {**RUN, "outcome_state": "reported_failure", "outcome_success": False}
FAILED |= {"outcome": {"success": False, "error": "no paper"}}


@pytest.mark.parametrize(
    ("ends", "exit_code", "said"),
    [
        (RUN, 0, "Ended: reported_success\nsent\n"),
        (FAILED, 1, "Ended: reported_failure\nno paper\n"),
        ({**RUN, "outcome_state": None, "status": "failed", "outcome": None}, 1, "Ended: failed\n"),
        ({**RUN, "outcome_state": None, "outcome": None}, 0, "Ended: success\n"),
    ],
)
def test_fire_and_wait_ends_as_the_outcome_does(
    cli: Cli, api: FakeApi, ends: dict[str, Any], exit_code: int, said: str
) -> None:
    api.answers |= {FIRE: FIRED, f"GET {PATH}": [RUNNING, DELIVERED, ends]}
    result = cli("fire", str(CUE["id"]), "--wait")
    assert result.exit_code == exit_code, result.output
    assert result.stdout == f"Fired: {RUN_ID}\n{said}"
    assert len(cli.waited) == 2


def test_waiting_has_an_end(cli: Cli, api: FakeApi) -> None:
    api.answers |= {FIRE: FIRED, f"GET {PATH}": RUNNING}
    result = cli("fire", str(CUE["id"]), "--wait", "--timeout", "2")
    assert result.exit_code == 1
    assert "still running after 2 s" in result.stderr


def test_a_test_delivery(cli: Cli, api: FakeApi) -> None:
    told = {
        "cue_id": CUE["id"],
        "result": "delivered",
        "duration_ms": 12,
        "error": None,
        "error_message": None,
        "request": {"method": "POST", "url": "https://example.com/hook"},
        "response": {"status": 200, "body": "thanks"},
    }
    api.answers[f"POST /v1/cues/{CUE['id']}/test"] = told
    lines = ["Sent: POST https://example.com/hook", "Answered: 200 in 12 ms", "thanks"]
    assert cli.ok("test", str(CUE["id"])).splitlines() == lines
    failed = {"result": "failed", "response": None, "error": "dns", "error_message": "no such name"}
    api.answers[f"POST /v1/cues/{CUE['id']}/test"] = {**told, **failed}
    result = cli("test", str(CUE["id"]))
    assert (result.exit_code, "dns: no such name" in result.stdout) == (1, True)


def test_executions(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/executions"] = {"executions": [RUN], "total": 1}
    told = cli.ok("executions", "list", "--cue-id", "c", "--has-evidence", "--status", "success")
    row = [RUN_ID, CUE["id"], "success", "2026-03-28T13:00:00Z", "reported_success"]
    assert told == "\t".join(map(str, row)) + "\n"
    asked = api.requests[-1].url.params
    assert (asked["cue_id"], asked["has_evidence"], asked["status"]) == ("c", "true", "success")
    api.answers[f"GET {PATH}"] = RUN
    assert "Outcome: reported_success" in cli.ok("executions", "get", RUN_ID)


def test_claim_heartbeat_report(cli: Cli, api: FakeApi) -> None:
    held = {"claimed": True, "execution_id": RUN_ID, "lease_seconds": 900}
    api.answers |= {f"POST {PATH}/claim": held, "POST /v1/executions/claim": held}
    assert cli.ok("executions", "claim", RUN_ID, "--worker-id", "w").startswith("Claimed: ")
    cli.ok("executions", "claim-next", "--worker-id", "w", "--task", "t")
    assert api.sent == {"worker_id": "w", "task": "t"}
    lease = {"execution_id": RUN_ID, "acknowledged": True, "lease_extended_until": "T"}
    api.answers[f"POST {PATH}/heartbeat"] = lease
    told = cli.ok("executions", "heartbeat", RUN_ID, "--worker-id", "w")
    assert told == "Lease extended until: T\n"
    done = {"execution_id": RUN_ID, "outcome_state": "verified_success", "reason": None}
    api.answers[f"POST {PATH}/outcome"] = done
    report = ("executions", "report-outcome", RUN_ID, "--success", "--external-id", "x")
    assert cli.ok(*report) == "Outcome recorded: verified_success\n"
    assert api.sent == {"success": True, "external_id": "x"}
    assert cli("executions", "report-outcome", RUN_ID).exit_code == 2


def test_nothing_to_claim(cli: Cli, api: FakeApi) -> None:
    api.answers["POST /v1/executions/claim"] = refusal(409, "claim_failed", "nothing is due")
    assert cli("executions", "claim-next", "--worker-id", "w").exit_code == 1


def test_judging(cli: Cli, api: FakeApi) -> None:
    api.answers[f"POST {PATH}/verify"] = {"outcome_state": "verification_failed"}
    cli.ok("executions", "verify", RUN_ID, "--invalid", "--reason", "no")
    assert api.sent == {"valid": False, "reason": "no"}
    api.answers[f"POST {PATH}/verification-pending"] = {"outcome_state": "verification_pending"}
    cli.ok("executions", "verification-pending", RUN_ID)


def test_replay(cli: Cli, api: FakeApi) -> None:
    api.answers[f"POST {PATH}/replay"] = {**FIRED, "id": "new"}
    assert cli.ok("replay", RUN_ID) == f"Replayed: new (of {RUN_ID})\n"
    assert cli.ok("executions", "replay", RUN_ID) == f"Replayed: new (of {RUN_ID})\n"
    skipped = [{"execution_id": "b", "reason": "in flight"}]
    many = {"matched": 2, "replayed": 1, "skipped": skipped, "execution_ids": ["n"]}
    api.answers["POST /v1/executions/replay"] = many
    assert cli.ok("replay", "--status", "failed") == "Replayed: 1 of 2\nSkipped: b (in flight)\n"
    cli.ok("replay", "--status", "failed", "--dry-run")
    assert api.sent["dry_run"] is True
    assert cli("replay").exit_code == 2
    assert cli("replay", RUN_ID, "--status", "failed").exit_code == 2


def test_explain(cli: Cli, api: FakeApi) -> None:
    told = {"verdict": "skipped", "summary": "It was paused", "reason": "paused", "hint": "resume"}
    api.answers[f"GET /v1/cues/{CUE['id']}/explain"] = told
    said = cli.ok("explain", str(CUE["id"]), "--at", "2026-03-28T13:00:00Z")
    assert said == "skipped: It was paused\nReason: paused\nHint: resume\n"
    assert api.requests[-1].url.params["at"] == "2026-03-28T13:00:00+00:00"


def test_schedules(cli: Cli, api: FakeApi) -> None:
    told = {"description": "Every hour", "next": [{"at": "a", "local": "l", "dst": "repeat"}]}
    api.answers["POST /v1/schedules/preview"] = told
    lines = "Every hour\n  l  ! this local time comes twice: the clock goes back\n"
    words = ("0 * * * *", "--tz", "Europe/Berlin")
    assert cli.ok("schedule", "explain", *words) == lines
    assert cli.ok("schedule", "preview", *words, "-n", "3") == lines
    assert cli.ok("preview", *words, "-n", "3") == lines
    assert api.sent["count"] == 3
    assert api.sent["schedule"]["timezone"] == "Europe/Berlin"


def test_tail(cli: Cli, api: FakeApi) -> None:
    second = {**EVENT, "type": "OutcomeReported", "summary": "success"}
    api.answers["GET /v1/events/stream"] = events(EVENT, second)
    told = cli.ok("tail", "--cue", "c", "--type", "X", "--after", "7-0", "-n", "2")
    first = "2026-03-28T13:00:00Z  AttemptSucceeded       Attempt 1 was answered 200: delivered"
    assert told.splitlines()[0] == f"{first}  {RUN_ID}"
    request = api.requests[-1]
    assert dict(request.url.params) == {"cue_id": "c", "type": "X"}
    assert request.headers["last-event-id"] == "7-0"
    lines = cli.ok("tail", "-n", "2", "--json").splitlines()
    assert [json.loads(line)["position"] for line in lines] == ["7-1", "7-2"]
    assert cli.ok("tail", "-n", "1", "-q") == f"{RUN_ID}\n"


def test_tail_goes_on_behind_the_last_event_when_the_stream_breaks(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/events/stream"] = [events(EVENT), events({**EVENT, "version": 4})]
    lines = cli.ok("tail", "-n", "2", "--jq", ".version").splitlines()
    assert lines == ["3", "4"]
    assert api.requests[1].headers["last-event-id"] == "7-1"


def test_logs(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/executions"] = {"executions": [RUN, {**RUN, "id": "older"}], "total": 2}
    ids = [line.split("\t")[3] for line in cli.ok("logs", "--since", "1h").splitlines()]
    assert ids == ["older", RUN_ID]
    api.answers["GET /v1/events/stream"] = events(EVENT)
    told = cli.ok("logs", "-f", "-n", "1", "--status", "failed")
    assert api.requests[-1].url.params["type"] == "DeliveryFailed"
    assert len(told.splitlines()) == 3
    assert cli("logs", "--status", "nonsense").exit_code == 2


def test_alerts_and_workers(cli: Cli, api: FakeApi) -> None:
    alert = {"id": "a1", "alert_type": "missed_window", "cue_name": "m", "created_at": "t"}
    api.answers["GET /v1/alerts"] = {"alerts": [{**alert, "message": "late"}], "total": 1}
    assert cli.ok("alerts", "list") == "a1\tmissed_window\tm\tt\tlate\n"
    assert api.requests[-1].url.params["acknowledged"] == "false"
    api.answers["POST /v1/alerts/a1/acknowledge"] = alert
    assert cli.ok("alerts", "ack", "a1") == "Acknowledged: a1\n"
    worker = {"worker_id": "w", "heartbeat_status": "active", "seconds_since_heartbeat": 3}
    api.answers["GET /v1/workers"] = {"workers": [{**worker, "handlers": ["a", "b"]}], "total": 1}
    assert cli.ok("workers", "list") == "w\tactive\t3 s ago\ta,b\n"
    api.answers["DELETE /v1/workers/w"] = httpx.Response(204)
    assert cli.ok("workers", "delete", "w", "-y") == "Deleted.\n"


def test_keys_and_secrets(cli: Cli, api: FakeApi) -> None:
    made = {"id": "k1", "prefix": "cue_sk_a", "label": "ci", "status": "active"}
    api.answers["GET /v1/auth/keys"] = {"keys": [{**made, "last_used_at": None}]}
    assert cli.ok("keys", "list") == "k1\tcue_sk_a\tci\tactive\t-\n"
    api.answers["POST /v1/auth/keys"] = {**made, "api_key": "cue_sk_once"}
    assert cli.ok("keys", "create", "ci", "-q") == "cue_sk_once\n"
    api.answers["PATCH /v1/auth/keys/k1"] = made
    assert cli.ok("keys", "rename", "k1", "ci") == "Renamed: k1 (ci)\n"
    api.answers["DELETE /v1/auth/keys/k1"] = {"id": "k1", "revoked_at": "t"}
    assert cli.ok("keys", "revoke", "k1", "--yes") == "Revoked: k1\n"
    api.answers["GET /v1/auth/webhook-secret"] = {"webhook_secret": "whsec_1"}
    assert cli.ok("key", "webhook-secret", "get") == "whsec_1\n"
    api.answers["POST /v1/auth/webhook-secret/regenerate"] = {"webhook_secret": "whsec_2"}
    words = ("key", "webhook-secret", "regenerate", "-y", "--overlap-hours", "4")
    assert cli.ok(*words) == "New secret: whsec_2\n"
    assert api.sent == {"overlap_hours": 4}


USAGE = {
    "plan": {"name": "free"},
    "cues": {"active": 5, "limit": 10},
    "executions": {"used": 300, "limit": 300},
    "rate_limit": {"limit": 60},
    "upgrade_url": "https://dash.example/billing",
}


def test_plans(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/usage"] = USAGE
    told = cli.ok("usage")
    assert "Active cues: [##########..........] 5 of 10" in told
    api.answers["POST /v1/billing/checkout"] = {"checkout_url": "https://pay.example/"}
    assert cli.ok("upgrade", "--plan", "pro", stdin="annual\n").endswith("https://pay.example/\n")
    assert api.sent == {"plan": "pro", "interval": "annual"}
    api.answers["POST /v1/billing/portal"] = {"portal_url": "https://portal.example/"}
    assert cli.ok("manage") == "https://portal.example/\n"
    cli.terminal = True
    cli.ok("open")
    assert cli.pages == ["https://dash.example"]
    api.answers["GET /v1/usage"] = {**USAGE, "upgrade_url": None}
    assert cli("open").exit_code == 1


def test_any_path(cli: Cli, api: FakeApi) -> None:
    api.answers["POST /v1/support"] = {"ticket_id": 14}
    assert json.loads(cli.ok("api", "post", "support", "-d", '{"subject": "s"}')) == {
        "ticket_id": 14
    }
    api.answers["GET /health"] = {"status": "healthy"}
    assert cli.ok("api", "GET", "/health", "--jq", ".status") == "healthy\n"
    assert cli("api", "GET", "/health", "-H", "nonsense").exit_code == 2


def test_quickstart(cli: Cli, api: FakeApi) -> None:
    api.answers["POST /v1/cues"] = CUE
    api.answers[f"DELETE /v1/cues/{CUE['id']}"] = httpx.Response(204)

    delivered = {"status": "delivered", "payload": {"hello": "x"}}
    api.under["GET /v1/echo/qs-"] = [{"status": "waiting"}, delivered]
    told = cli.ok("quickstart")
    assert "Delivered." in told
    assert api.asked[1:3] == api.asked[1:2] * 2
    assert api.asked[-1] == f"DELETE /v1/cues/{CUE['id']}"
