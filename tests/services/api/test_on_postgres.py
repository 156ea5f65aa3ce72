"""The path from registration to outcome on real Postgres and the real deciders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from starlette.types import ASGIApp

from libs.events.alerts import AlertRaised
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from services.admin.tables.accounts import set_limits
from services.api.routes.ports import Rules
from tests.services.api.bodies import CRON, CUE
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, client_of, registered

pytestmark = pytest.mark.integration

WORKER_CUE: dict[str, Any] = {
    "name": "nightly",
    "schedule": CRON,
    "transport": "worker",
    "payload": {"task": "sync", "n": 1},
}


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog, lookup: NameLookup) -> ASGIApp:
    """Plan `scale`, so that no test meets a limit by accident."""
    return application(postgres_log, lookup, Rules(default_plan="scale", session_secret=SECRET))


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


async def test_register_opens_an_account(app: ASGIApp, user: User) -> None:
    me = await user.ok("GET", "/v1/auth/me")
    assert me == {
        "id": me["id"],
        "email": user.email,
        "plan": "scale",
        "active_cues": 0,
        "active_cue_limit": 500,
        "executions_this_month": 0,
        "monthly_execution_limit": 50_000,
        "rate_limit_per_minute": 500,
        "has_webhook_secret": True,
        "api_key_prefix": user.api_key[:12],
        "alert_webhook_url": None,
        "email_notifications": True,
        "created_at": me["created_at"],
        "updated_at": me["updated_at"],
    }
    secret = await user.ok("GET", "/v1/auth/webhook-secret")
    assert secret["webhook_secret"].startswith("whsec_")
    assert len(secret["webhook_secret"]) == 6 + 64
    assert await user.ok("GET", "/v1/auth/webhook-secret") == secret
    assert secret != await (await registered(app)).ok("GET", "/v1/auth/webhook-secret")


@pytest.mark.parametrize(
    "email", [None, 7, "", "you", "you@", "@example.com", "a b@example.com", "x" * 250 + "@a.com"]
)
async def test_register_needs_an_address(app: ASGIApp, email: Any) -> None:
    async with client_of(app) as client:
        response = await client.post("/v1/auth/register", json={"email": email})
    assert response.status_code == 422
    assert response.json()["error"]["details"][0]["field"] == "body.email"


async def test_an_address_has_one_account(app: ASGIApp, user: User) -> None:
    async with client_of(app) as client:
        answers = [
            await client.post("/v1/auth/register", json={"email": email})
            for email in (user.email, user.email.upper())
        ]
    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [
        (409, "duplicate_email")
    ] * 2


async def test_of_two_registrations_at_once_one_wins(app: ASGIApp) -> None:
    async def register() -> httpx.Response:
        async with client_of(app) as client:
            return await client.post("/v1/auth/register", json={"email": "both@example.com"})

    answers = await asyncio.gather(*(register() for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]


async def test_registration_can_be_closed(postgres_log: PostgresLog, lookup: NameLookup) -> None:
    app = application(postgres_log, lookup, Rules(allow_register=False))
    async with client_of(app) as client:
        response = await client.post("/v1/auth/register", json={"email": "new@example.com"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


async def test_keys_rest_hashed_or_sealed(user: User, database: Database) -> None:
    rows = await database.rows(
        "select k.*, i.* from api_keys k join identities i using (account_id)"
        " where i.email = %(email)s",
        {"email": user.email},
    )
    resting = repr(rows[0])
    assert user.api_key not in resting
    assert user.api_key[7:] not in resting


async def test_a_session_is_as_good_as_a_key(user: User) -> None:
    me = await user.ok("GET", "/v1/auth/me")
    ends = datetime.now(UTC) + timedelta(hours=1)
    claims = {"sub": me["id"], "email": user.email, "type": "session", "exp": ends}
    token = jwt.encode(claims, SECRET, "HS256")
    again = await user.ok("GET", "/v1/auth/me", Authorization=f"bearer {token}")
    assert again == me
    claims["sub"] = "0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11"
    gone = jwt.encode(claims, SECRET, "HS256")
    refused = await user.refused("GET", "/v1/auth/me", Authorization=f"Bearer {gone}")
    assert refused == (401, "invalid_session")


@pytest.mark.parametrize(
    ("reason", "code"), [("revoked", "key_revoked"), ("rotated", "key_rotated")]
)
async def test_ended_keys_say_how(user: User, database: Database, reason: str, code: str) -> None:
    await database.execute(
        "update api_keys set status = 'revoked', revoked_reason = %(reason)s where prefix = %(p)s",
        {"reason": reason, "p": user.api_key[:12]},
    )
    assert await user.refused("GET", "/v1/cues") == (401, code)


async def test_an_unknown_key_is_invalid(user: User) -> None:
    stranger = "cue_sk_" + "0" * 32
    refused = await user.refused("GET", "/v1/cues", Authorization=f"Bearer {stranger}")
    assert refused == (401, "invalid_api_key")


async def test_a_cue_lives(user: User) -> None:
    body: dict[str, Any] = {
        **CUE,
        "description": "Every morning",
        "payload": {"task": "brief", "n": 12345678901234567890123, "x": [1.5, None, "é😀"]},
        "callback": {**CUE["callback"], "headers": {"X-Token": "hush"}},
    }
    cue = await user.ok("POST", "/v1/cues", body)
    assert cue["payload"] == body["payload"]
    assert cue["description"] == "Every morning"
    assert cue["callback"]["headers"] == {"X-Token": "hush"}
    got = await user.ok("GET", f"/v1/cues/{cue['id']}")
    assert {name: got[name] for name in cue} == cue
    assert (got["executions"], got["execution_total"]) == ([], 0)
    listed = await user.ok("GET", "/v1/cues")
    assert listed == {"cues": [cue], "total": 1, "limit": 50, "offset": 0}
    assert (await user.ok("GET", "/v1/cues?status=paused"))["cues"] == []
    assert await user.ok("GET", "/v1/cues?offset=1") == {**listed, "cues": [], "offset": 1}
    changed = await user.ok("PATCH", f"/v1/cues/{cue['id']}", {"payload": {"a": 1}, "name": "n2"})
    assert (changed["name"], changed["payload"]) == ("n2", {"a": 1})
    assert changed["description"] == "Every morning"
    paused = await user.ok("PATCH", f"/v1/cues/{cue['id']}", {"status": "paused"})
    assert (paused["status"], paused["next_run"]) == ("paused", None)
    resumed = await user.ok("PATCH", f"/v1/cues/{cue['id']}", {"status": "active"})
    assert resumed["next_run"] is not None
    assert (await user.ok("GET", "/v1/auth/me"))["active_cues"] == 1
    assert await user.ok("DELETE", f"/v1/cues/{cue['id']}") == {}
    for method in ("GET", "DELETE", "PATCH"):
        refused = await user.refused(method, f"/v1/cues/{cue['id']}")
        assert refused == (404, "cue_not_found")
    assert (await user.ok("GET", "/v1/cues"))["total"] == 0


async def test_patch_merges(user: User) -> None:
    schedule = {**CRON, "timezone": "Asia/Tokyo"}
    callback: dict[str, Any] = {"url": "https://a.example/", "method": "PUT", "headers": {"A": "1"}}
    retry = {"max_attempts": 4, "backoff_minutes": [2]}
    body = {**CUE, "schedule": schedule, "callback": callback, "retry": retry}
    cue = await user.ok("POST", "/v1/cues", body)
    path = f"/v1/cues/{cue['id']}"
    changed = await user.ok("PATCH", path, {"callback": {"url": "https://b.example/"}})
    assert changed["callback"] == {**callback, "url": "https://b.example/"}
    changed = await user.ok("PATCH", path, {"schedule": {"type": "recurring", "cron": "1 2 * * *"}})
    assert changed["schedule"]["timezone"] == "Asia/Tokyo"
    assert changed["next_run"].endswith("+09:00")
    changed = await user.ok("PATCH", path, {"retry": {"max_attempts": 5}})
    assert changed["retry"] == {"max_attempts": 5, "backoff_minutes": [2]}
    changed = await user.ok("PATCH", path, {"retry": None, "callback": {"headers": None}})
    assert changed["retry"] == {"max_attempts": 3, "backoff_minutes": [1, 5, 15]}
    assert changed["callback"]["headers"] == {}
    assert await user.ok("PATCH", path, {}) == changed


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"schedule": {"type": "recurring", "cron": "0 9 * * * *"}}, 400, "invalid_schedule"),
        ({"schedule": {"type": "recurring", "cron": "0 0 30 2 *"}}, 400, "invalid_schedule"),
        ({"schedule": {"type": "recurring", "cron": ""}}, 400, "invalid_schedule"),
        ({"schedule": {"type": "once", "at": "2020-01-01T00:00:00Z"}}, 400, "invalid_schedule"),
        ({"name": "taken"}, 409, "duplicate_cue_name"),
    ],
)
async def test_the_scheduler_refuses(
    user: User, body: dict[str, Any], status: int, code: str
) -> None:
    await user.ok("POST", "/v1/cues", {**CUE, "name": "taken"})
    assert await user.refused("POST", "/v1/cues", {**CUE, **body}) == (status, code)


async def test_what_is_anothers_does_not_exist(app: ASGIApp, user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    other = await registered(app)
    on_cue: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/cues/{cue['id']}", None),
        ("PATCH", f"/v1/cues/{cue['id']}", {"name": "mine"}),
        ("DELETE", f"/v1/cues/{cue['id']}", None),
        ("POST", f"/v1/cues/{cue['id']}/fire", {"payload_override": {"a": 1}}),
    ]
    for method, path, body in on_cue:
        assert await other.refused(method, path, body) == (404, "cue_not_found")
    execution = f"/v1/executions/{fired['id']}"
    on_execution: list[tuple[str, str, Any]] = [
        ("GET", execution, None),
        ("GET", f"{execution}/timeline", None),
        ("POST", f"{execution}/claim", {"worker_id": "w"}),
        ("POST", f"{execution}/heartbeat", None),
        ("POST", f"{execution}/outcome", {"success": True}),
        ("PATCH", f"{execution}/evidence", {"external_id": "x"}),
        ("POST", f"{execution}/verify", None),
        ("POST", f"{execution}/verification-pending", None),
        ("POST", f"{execution}/replay", None),
    ]
    for method, path, body in on_execution:
        assert await other.refused(method, path, body) == (404, "execution_not_found"), path
    assert (await other.ok("GET", "/v1/executions"))["total"] == 0
    assert (await other.ok("GET", f"/v1/executions?cue_id={cue['id']}"))["total"] == 0
    assert (await other.ok("GET", "/v1/executions/claimable"))["executions"] == []


async def test_a_key_gives_the_first_answer_again(user: User) -> None:
    first = await user.call("POST", "/v1/cues", CUE, Idempotency_Key="k1")
    cue = first.json()
    await user.ok("PATCH", f"/v1/cues/{cue['id']}", {"name": "renamed"})
    again = await user.call("POST", "/v1/cues", CUE, Idempotency_Key="k1")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == cue
    other = {**CUE, "name": "other"}
    refused = await user.refused("POST", "/v1/cues", other, Idempotency_Key="k1")
    assert refused == (409, "idempotency_key_conflict")
    assert (await user.ok("GET", "/v1/cues"))["total"] == 1
    await user.ok("DELETE", f"/v1/cues/{cue['id']}", Idempotency_Key="k1")
    gone = await user.call("POST", "/v1/cues", CUE, Idempotency_Key="k1")
    assert gone.json() == cue
    twice = await user.call("DELETE", f"/v1/cues/{cue['id']}", Idempotency_Key="k1")
    assert twice.status_code == 204


async def test_a_change_waits_for_nobody_elses(user: User) -> None:
    created = await user.call("POST", "/v1/cues", CUE)
    path, tag = f"/v1/cues/{created.json()['id']}", created.headers["etag"]
    changed = await user.call("PATCH", path, {"name": "a"}, If_Match=tag)
    assert changed.headers["etag"] == '"2"'
    for method in ("PATCH", "DELETE"):
        refused = await user.refused(method, path, {"name": "b"}, If_Match=tag)
        assert refused == (412, "precondition_failed")
    assert (await user.call("GET", path)).headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (None, {"task": "sync", "n": 1}),
        ({}, {"task": "sync", "n": 1}),
        ({"payload_override": {"n": 2, "m": 3}}, {"task": "sync", "n": 2, "m": 3}),
        ({"payload_override": {}}, {"task": "sync", "n": 1}),
        ({"payload_override": {"x": 1}, "merge_strategy": "replace"}, {"x": 1}),
        ({"payload_override": {}, "merge_strategy": "replace"}, {}),
    ],
)
async def test_fire(user: User, body: Any, payload: dict[str, Any]) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire", body)
    assert fired == {
        "id": fired["id"],
        "execution_id": fired["id"],
        "cue_id": cue["id"],
        "scheduled_for": fired["scheduled_for"],
        "status": "pending",
        "triggered_by": "manual_fire",
        "payload": payload,
    }
    execution = await user.ok("GET", f"/v1/executions/{fired['id']}")
    assert (execution["payload"], execution["triggered_by"]) == (payload, "manual_fire")
    assert (await user.ok("GET", f"/v1/cues/{cue['id']}"))["fired_count"] == 1


async def test_fire_with_a_key_in_the_body(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    path = f"/v1/cues/{cue['id']}/fire"
    first = await user.ok("POST", path, {"idempotency_key": "k"}, Idempotency_Key="1")
    assert await user.ok("POST", path, {"idempotency_key": "k"}, Idempotency_Key="2") == first
    refused = await user.refused("POST", path, {"idempotency_key": "k", "merge_strategy": "merge"})
    assert refused == (409, "idempotency_key_conflict")
    assert (await user.ok("GET", "/v1/executions"))["total"] == 1


async def test_work_of_a_deleted_cue_is_gone_for_its_workers(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    held, waiting = [(await user.ok("POST", f"/v1/cues/{cue['id']}/fire"))["id"] for _ in "12"]
    await user.ok("POST", f"/v1/executions/{held}/claim", {"worker_id": "w1"})
    await user.ok("DELETE", f"/v1/cues/{cue['id']}")
    gone = (404, "execution_not_found")
    path = f"/v1/executions/{waiting}/claim"
    assert await user.refused("POST", path, {"worker_id": "w1"}) == gone
    assert await user.refused("POST", f"/v1/executions/{held}/heartbeat", {}) == gone
    assert await user.refused("POST", f"/v1/executions/{held}/outcome", {"success": True}) == gone
    nothing = await user.refused("POST", "/v1/executions/claim", {"worker_id": "w1"})
    assert nothing == (409, "claim_failed")


async def test_a_worker_does_the_work(user: User, database: Database) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    assert "No active workers" in cue["warning"]
    beat = await user.ok(
        "POST", "/v1/worker/heartbeat", {"worker_id": "w1", "handlers": ["sync"], "v": 1}
    )
    assert beat["acknowledged"] is True
    await user.ok("POST", "/v1/worker/heartbeat", {"worker_id": "w1"})
    workers = await user.ok("GET", "/v1/workers")
    assert (workers["total"], workers["workers"][0]["handlers"]) == (1, ["sync"])
    assert workers["workers"][0]["heartbeat_status"] == "active"
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    execution_id = fired["id"]
    for query, found in (("", 1), ("?task=sync", 1), ("?task=other", 0), ("?agent=x", 0)):
        claimable = await user.ok("GET", f"/v1/executions/claimable{query}")
        assert len(claimable["executions"]) == found, query
    assert (await user.ok("GET", "/v1/executions/claimable"))["executions"] == [
        {
            "execution_id": execution_id,
            "cue_id": cue["id"],
            "cue_name": "nightly",
            "task": "sync",
            "scheduled_for": fired["scheduled_for"],
            "payload": WORKER_CUE["payload"],
            "attempt": 1,
        }
    ]
    path = f"/v1/executions/{execution_id}"
    claimed = await user.ok("POST", f"{path}/claim", {"worker_id": "w1", "extra": True})
    assert claimed == {
        "claimed": True,
        "execution_id": execution_id,
        "worker_id": "w1",
        "lease_seconds": 900,
        "lease_expires_at": claimed["lease_expires_at"],
        "attempt": 1,
        "payload": WORKER_CUE["payload"],
        "cue_id": cue["id"],
        "cue_name": "nightly",
        "scheduled_for": fired["scheduled_for"],
    }
    again = await user.refused("POST", f"{path}/claim", {"worker_id": "w1"})
    assert again == (409, "claim_failed")
    held = await user.ok("GET", path)
    assert (held["status"], held["claimed_by_worker"], held["attempts"]) == ("delivering", "w1", 1)
    assert held["lease_expires_at"] == claimed["lease_expires_at"]
    extended = await user.ok("POST", f"{path}/heartbeat", X_Worker_Id="w1")
    assert (extended["execution_id"], extended["acknowledged"]) == (execution_id, True)
    other = await user.refused("POST", f"{path}/heartbeat", {"worker_id": "w2"})
    assert other == (403, "not_execution_owner")
    refused = await user.refused("POST", f"{path}/outcome", {"success": True, "worker_id": "w2"})
    assert refused == (403, "not_execution_owner")
    outcome = {"success": True, "result": "done", "external_id": "x-1", "metadata": {"n": 1}}
    reported = await user.ok("POST", f"{path}/outcome", outcome, X_Worker_Id="w1")
    assert reported == {
        "execution_id": execution_id,
        "outcome_recorded": True,
        "outcome_state": "reported_success",
        "outcome_success": True,
        "status": "success",
        "reason": None,
    }
    done = await user.ok("GET", path)
    assert done["outcome"] == {
        **dict.fromkeys(done["outcome"]),
        **outcome,
        "recorded_at": done["outcome"]["recorded_at"],
        "source": "api",
    }
    timeline = await user.ok("GET", f"{path}/timeline")
    assert [item["type"] for item in timeline["events"]] == [
        "ExecutionScheduled",
        "ExecutionClaimed",
        "LeaseExtended",
        "OutcomeReported",
    ]
    assert timeline["total"] == 4
    assert [item["version"] for item in timeline["events"]] == [1, 2, 3, 4]
    assert all(item["summary"] and item["actor"].startswith("key:") for item in timeline["events"])
    assert len(timeline["events"][0]["trace_id"]) == 32
    await database.execute("delete from events where stream_id = %s", [f"execution-{execution_id}"])
    gone = await user.refused("GET", f"{path}/timeline")
    assert gone == (410, "timeline_archived")
    shown = await user.ok("GET", f"/v1/cues/{cue['id']}")
    assert (shown["run_count"], shown["execution_total"]) == (1, 1)
    assert shown["executions"][0] == done


async def test_claim_next(user: User) -> None:
    assert await user.refused("POST", "/v1/executions/claim", {"worker_id": "w"}) == (
        409,
        "claim_failed",
    )
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    other = {"worker_id": "w", "task": "other"}
    assert (await user.refused("POST", "/v1/executions/claim", other))[0] == 409
    body = {"worker_id": "w", "task": "sync", "lease_seconds": 10}
    claimed = await user.ok("POST", "/v1/executions/claim", body)
    assert (claimed["execution_id"], claimed["lease_seconds"]) == (fired["id"], 10)
    assert (claimed["cue_id"], claimed["cue_name"]) == (cue["id"], "nightly")
    assert claimed["scheduled_for"] == fired["scheduled_for"]


async def test_claim_next_of_several_tasks(user: User) -> None:
    for number, task in enumerate(("c", "b", "a", "b")):
        body = {**WORKER_CUE, "name": f"{task} {number}", "payload": {"task": task}}
        cue = await user.ok("POST", "/v1/cues", body)
        await user.ok("POST", f"/v1/cues/{cue['id']}/fire")

    async def claimed(**wanted: Any) -> str:
        body = {"worker_id": "w", **wanted}
        return str((await user.ok("POST", "/v1/executions/claim", body))["cue_name"])

    assert await claimed(tasks=["a", "b"]) == "b 1", "the oldest of them"
    assert await claimed(tasks=["a", "b"], task="a") == "a 2", "both must hold"
    assert await claimed(tasks=["none", "b"]) == "b 3"
    nothing = {"worker_id": "w", "tasks": ["a", "b"]}
    assert (await user.refused("POST", "/v1/executions/claim", nothing))[0] == 409
    waiting = asyncio.create_task(claimed(tasks=["x", "late"], wait_seconds=20))
    body = {**WORKER_CUE, "name": "late", "payload": {"task": "late"}}
    cue = await user.ok("POST", "/v1/cues", body)
    await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    assert await waiting == "late"


async def test_claim_next_waits_for_work(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    body = {"worker_id": "w", "wait_seconds": 20}
    waiting = asyncio.create_task(user.ok("POST", "/v1/executions/claim", body))
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    assert (await waiting)["execution_id"] == fired["id"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("claim", {}, "body.worker_id"),
        ("claim", {"worker_id": ""}, "body.worker_id"),
        ("claim", {"worker_id": "x" * 256}, "body.worker_id"),
        ("claim", {"worker_id": 1}, "body.worker_id"),
        ("claim", {"worker_id": "w", "lease_seconds": 9}, "body.lease_seconds"),
        ("claim", {"worker_id": "w", "lease_seconds": 3_601}, "body.lease_seconds"),
        ("claim", {"worker_id": "w", "wait_seconds": 31}, "body.wait_seconds"),
        ("claim", {"worker_id": "w", "task": 1}, "body.task"),
        ("claim", {"worker_id": "w", "tasks": []}, "body.tasks"),
        ("claim", {"worker_id": "w", "tasks": ["t"] * 101}, "body.tasks"),
        ("claim", {"worker_id": "w", "tasks": [1]}, "body.tasks.0"),
        ("x/claim", {}, "body.worker_id"),
        ("x/heartbeat", {"worker": "w"}, "body.worker"),
        ("x/heartbeat", {"worker_id": 1}, "body.worker_id"),
        ("x/replay", {"now": True}, "body.now"),
        ("x/verify", {"valid": "yes"}, "body.valid"),
        ("x/verify", {"reason": "x" * 501}, "body.reason"),
    ],
)
async def test_bodies_of_executions(
    user: User, path: str, body: dict[str, Any], field: str
) -> None:
    response = await user.call("POST", f"/v1/executions/{path}", body)
    assert response.status_code == 422
    assert field in [d["field"] for d in response.json()["error"]["details"]]


async def test_of_many_reports_one_stands(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    path = f"/v1/executions/{fired['id']}/outcome"
    answers = await asyncio.gather(
        *(user.call("POST", path, {"success": True, "result": str(n)}) for n in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    codes = {a.json()["error"]["code"] for a in answers if a.status_code == 409}
    assert codes == {"outcome_already_recorded"}


async def test_evidence_and_verdicts(user: User) -> None:
    body = {**WORKER_CUE, "verification": {"mode": "require_artifacts"}}
    cue = await user.ok("POST", "/v1/cues", body)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    path = f"/v1/executions/{fired['id']}"
    evidence = {"artifacts": [{"url": "a"}], "metadata": {"k": 1}, "summary": "s"}
    assert await user.refused("PATCH", f"{path}/evidence", evidence) == (409, "no_outcome")
    assert await user.refused("POST", f"{path}/verify") == (409, "invalid_state")
    assert await user.refused("POST", f"{path}/verification-pending") == (409, "no_outcome")
    reported = await user.ok(
        "POST", f"{path}/outcome", {"success": True, "artifacts": [], "external_id": ""}
    )
    assert reported["outcome_state"] == "verification_failed"
    assert reported["reason"] == "artifacts missing"
    assert await user.refused("PATCH", f"{path}/evidence", {}) == (422, "no_fields")
    assert await user.refused("PATCH", f"{path}/evidence", {"summary": None}) == (422, "no_fields")
    updated = await user.ok("PATCH", f"{path}/evidence", evidence)
    assert updated == {
        "execution_id": fired["id"],
        "outcome_state": "verified_success",
        "outcome_success": True,
        "evidence_updated": True,
    }
    more = {"artifacts": [{"url": "a"}, {"url": "b"}], "metadata": {"l": 2}}
    await user.ok("PATCH", f"{path}/evidence", more)
    outcome = (await user.ok("GET", path))["outcome"]
    assert outcome["artifacts"] == [{"url": "a"}, {"url": "b"}]
    assert outcome["evidence_metadata"] == {"k": 1, "l": 2}
    assert (outcome["metadata"], outcome["validation_state"]) == (None, "valid")
    too_many = {"artifacts": [{"url": str(n)} for n in range(99)], "summary": "lost?"}
    response = await user.call("PATCH", f"{path}/evidence", too_many)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "validation_error")
    assert response.json()["error"]["details"][0]["field"] == "body.artifacts"
    assert (await user.ok("GET", path))["outcome"] == outcome
    for _ in range(2):
        await user.ok("PATCH", f"{path}/evidence", {"artifacts": too_many["artifacts"][:98]})
    assert len((await user.ok("GET", path))["outcome"]["artifacts"]) == 100
    await user.ok("PATCH", f"{path}/evidence", {"metadata": {"x": "m" * 6_000}})
    answered = await user.call("PATCH", f"{path}/evidence", {"metadata": {"y": "m" * 6_000}})
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "metadata_too_large")
    pending = await user.ok("POST", f"{path}/verification-pending")
    assert pending == {"execution_id": fired["id"], "outcome_state": "verification_pending"}
    verdict = await user.ok("POST", f"{path}/verify", {"valid": False, "reason": "wrong"})
    assert verdict == {
        "execution_id": fired["id"],
        "outcome_state": "verification_failed",
        "valid": False,
        "reason": "wrong",
    }
    rejected = (await user.ok("GET", path))["outcome"]
    assert rejected["summary"] == "s | verification rejected: wrong"
    assert rejected["success"] is True


async def test_replay(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire", {"payload_override": {"n": 9}})
    path = f"/v1/executions/{fired['id']}"
    assert await user.refused("POST", f"{path}/replay") == (409, "execution_in_flight")
    await user.ok("POST", f"{path}/outcome", {"success": False, "error": "no"})
    replayed = await user.ok("POST", f"{path}/replay")
    assert replayed == {
        **replayed,
        "execution_id": replayed["id"],
        "cue_id": cue["id"],
        "status": "pending",
        "triggered_by": "replay",
        "replayed_from": fired["id"],
        "payload": {"task": "sync", "n": 9},
    }
    shown = await user.ok("GET", f"/v1/executions/{replayed['id']}")
    assert shown["replayed_from"] == fired["id"]


async def test_executions_are_listed_and_filtered(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    other = await user.ok("POST", "/v1/cues", {**WORKER_CUE, "name": "other"})
    ids = [
        (await user.ok("POST", f"/v1/cues/{cue_id}/fire"))["id"]
        for cue_id in (cue["id"], cue["id"], other["id"])
    ]
    await user.ok("POST", f"/v1/executions/{ids[0]}/claim", {"worker_id": "w9"})
    evidence = {"success": True, "result_type": "report", "result_url": "https://a.example/r"}
    await user.ok("POST", f"/v1/executions/{ids[0]}/outcome", evidence)
    everything = await user.ok("GET", "/v1/executions")
    assert [e["id"] for e in everything["executions"]] == ids[::-1]
    assert everything["total"] == 3
    assert everything["has_more"] is False
    first = everything["executions"][-1]
    assert everything["oldest_claimed_at"] == first["claimed_at"]
    middle = everything["executions"][1]["created_at"]
    for query, found in (
        ("limit=2", ids[:0:-1]),
        ("limit=2&offset=2", ids[:1]),
        ("offset=3", []),
        (f"cue_id={cue['id']}", ids[1::-1]),
        ("cue_id=cue_000000000000", []),
        ("cue_id=nonsense", []),
        ("status=success", ids[:1]),
        ("status=pending", ids[:0:-1]),
        ("status=retry_ready", []),
        ("status__in=success,%20pending", ids[::-1]),
        ("outcome_state=reported_success", ids[:1]),
        ("triggered_by=manual_fire", ids[::-1]),
        ("triggered_by=scheduled", []),
        ("worker_id=w9", ids[:1]),
        ("worker_id=w", []),
        ("result_type=report", ids[:1]),
        ("has_evidence=true", ids[:1]),
        ("has_evidence=false", ids[:0:-1]),
        (f"since={middle}", ids[:0:-1]),
        (f"until={middle}", ids[1::-1]),
        ("until=2020-01-01T00:00:00", []),
    ):
        page = await user.ok("GET", f"/v1/executions?{query}")
        assert [e["id"] for e in page["executions"]] == found, query
        assert page["has_more"] is (query == "limit=2")
    for query, refused in (
        ("status=pending&status__in=failed", (400, "conflicting_filters")),
        ("status__in=", (400, "invalid_status_in")),
        ("status__in=,", (400, "invalid_status_in")),
        ("has_evidence=yes", (422, "validation_error")),
        ("since=yesterday", (422, "validation_error")),
        ("since=2026-01-01", (422, "validation_error")),
    ):
        assert await user.refused("GET", f"/v1/executions?{query}") == refused, query


async def test_the_plan_bounds_active_cues(postgres_log: PostgresLog, lookup: NameLookup) -> None:
    user = await registered(application(postgres_log, lookup, Rules()))
    for number in range(10):
        await user.ok("POST", "/v1/cues", {**CUE, "name": str(number)})
    refused = await user.refused("POST", "/v1/cues", {**CUE, "name": "eleventh"})
    assert refused == (403, "cue_limit_exceeded")


async def test_an_accounts_own_limits_go_before_its_plans(
    postgres_log: PostgresLog, database: Database, lookup: NameLookup
) -> None:
    user = await registered(application(postgres_log, lookup, Rules()))
    account = (await user.ok("GET", "/v1/auth/me"))["id"]
    changes = {"active_cues": 11, "executions_per_month": 1, "requests_per_minute": 25}
    await set_limits(postgres_log, account, changes, reset=False)
    me = await user.ok("GET", "/v1/auth/me")
    assert (me["plan"], me["active_cue_limit"], me["rate_limit_per_minute"]) == ("free", 11, 25)
    cues = [await user.ok("POST", "/v1/cues", {**CUE, "name": str(n)}) for n in range(11)]
    refused = await user.refused("POST", "/v1/cues", {**CUE, "name": "twelfth"})
    assert refused == (403, "cue_limit_exceeded")
    fire = f"/v1/cues/{cues[0]['id']}/fire"
    for _ in range(2):  # the second begins the grace
        await user.ok("POST", fire)
    usage = await user.call("GET", "/v1/usage")
    assert usage.json()["executions"]["limit"] == 1
    assert usage.headers["x-cueapi-usage-warning"] == "limit_reached"
    await database.execute(
        "update usage set grace_started_at = now() - interval '25 hours' where account_id = %s",
        [account],
    )
    assert await user.refused("POST", fire) == (403, "execution_limit_exceeded")
    statuses = [(await user.call("GET", "/v1/usage")).status_code for _ in range(10)]
    assert statuses == [200] * 7 + [429] * 3


async def test_the_window_is_exact(postgres_log: PostgresLog, lookup: NameLookup) -> None:
    """Two replicas, many requests at once: exactly the plan's number gets through."""
    replicas = [application(postgres_log, lookup, Rules()) for _ in range(2)]
    user = await registered(replicas[0])

    async def get(number: int) -> httpx.Response:
        async with client_of(replicas[number % 2]) as client:
            headers = {"Authorization": f"Bearer {user.api_key}"}
            return await client.get("/v1/workers", headers=headers)

    answers = await asyncio.gather(*(get(number) for number in range(90)))
    assert sorted(a.status_code for a in answers) == [200] * 60 + [429] * 30
    remaining = sorted(int(a.headers["x-ratelimit-remaining"]) for a in answers if a.is_success)
    assert remaining == list(range(60))
    full = next(a for a in answers if a.status_code == 429)
    assert 1 <= int(full.headers["retry-after"]) <= 60
    assert full.json()["error"]["code"] == "rate_limit_exceeded"


async def test_the_window_slides(
    postgres_log: PostgresLog, database: Database, lookup: NameLookup
) -> None:
    user = await registered(application(postgres_log, lookup, Rules()))
    for _ in range(60):
        await user.ok("GET", "/v1/workers")
    assert (await user.refused("GET", "/v1/workers"))[0] == 429
    rows = await database.rows(
        "update rate_windows w set hits[1] = now() - interval '61 seconds' from api_keys k"
        " where k.id::text = w.subject and k.prefix = %(prefix)s returning cardinality(hits) as n",
        {"prefix": user.api_key[:12]},
    )
    assert rows[0]["n"] == 60  # the refused one was not counted
    assert (await user.call("GET", "/v1/workers")).status_code == 200
    assert (await user.refused("GET", "/v1/workers"))[0] == 429


async def test_health(app: ASGIApp, database: Database) -> None:
    await database.execute(
        "insert into poller (last_run, cues_last_cycle, cycle_duration_ms) values (now(), 3, 4)"
        " on conflict do nothing"
    )
    async with client_of(app) as client:
        health = (await client.get("/health")).json()
        status = await client.get("/status")
    assert health["services"]["postgres"] == "ok"
    assert health["services"]["poller"] == "ok"
    assert health["queue"]["stale_executions"] == 0
    assert (status.status_code, status.json()) == (200, {"status": "healthy"})


async def raised(log: PostgresLog, execution: dict[str, Any], account_id: str, kind: str) -> str:
    """Put an alert on record, as the alerts service does."""
    alert_id = new_uuid()
    async with log.transaction() as unit:
        event = AlertRaised(
            at=unit.now,
            alert_id=alert_id,
            account_id=account_id,
            cue_id=execution["cue_id"],
            kind=kind,
            episode=alert_id,
            execution_id=execution["id"],
            facts={"consecutive_failures": 3, "threshold": 3},
        )
        meta = Meta(correlation_id="test", actor="alerts")
        unit.record("alert", alert_id, account_id, [event], meta)
    return alert_id


async def test_alerts(app: ASGIApp, user: User, postgres_log: PostgresLog) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    account_id = (await user.ok("GET", "/v1/auth/me"))["id"]
    first = await raised(postgres_log, fired, account_id, "consecutive_failure")
    second = await raised(postgres_log, fired, account_id, "outcome_timeout")
    listed = await user.ok("GET", "/v1/alerts")
    assert [alert["id"] for alert in listed["alerts"]] == [second, first]
    alert = listed["alerts"][1]
    assert alert == {
        "id": first,
        "alert_type": "consecutive_failure",
        "severity": "warning",
        "cue_id": cue["id"],
        "cue_name": "nightly",
        "execution_id": fired["id"],
        "message": "nightly failed 3 times in a row",
        "metadata": {"consecutive_failures": 3, "threshold": 3},
        "acknowledged": False,
        "acknowledged_at": None,
        "created_at": alert["created_at"],
    }
    seen = await user.ok("POST", f"/v1/alerts/{first}/acknowledge")
    assert seen["acknowledged"] is True
    assert await user.ok("POST", f"/v1/alerts/{first}/acknowledge", {}) == seen
    for query, found in (
        ("alert_type=consecutive_failure", [first]),
        ("alert_type=consecutive_failures", [first]),
        ("alert_type=missed_window", []),
        (f"cue_id={cue['id']}", [second, first]),
        ("cue_id=nonsense", []),
        (f"execution_id={fired['id']}&limit=1", [second]),
        ("execution_id=nonsense", []),
        ("acknowledged=true", [first]),
        ("acknowledged=false", [second]),
        (f"since={listed['alerts'][0]['created_at']}", [second]),
    ):
        page = await user.ok("GET", f"/v1/alerts?{query}")
        assert [each["id"] for each in page["alerts"]] == found, query
    assert await user.refused("GET", "/v1/alerts?alert_type=bad") == (400, "invalid_filter")
    other = await registered(app)
    for alert_id in (first, "nonsense", new_uuid()):
        refused = await other.refused("POST", f"/v1/alerts/{alert_id}/acknowledge")
        assert refused == (404, "alert_not_found")
    await user.ok("DELETE", f"/v1/cues/{cue['id']}")
    assert (await user.ok("GET", "/v1/alerts"))["total"] == 2


async def test_usage(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    paused = await user.ok("POST", "/v1/cues", {**CUE, "name": "paused"})
    await user.ok("PATCH", f"/v1/cues/{paused['id']}", {"status": "paused"})
    for success in (True, True, False):
        fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
        await user.ok("POST", f"/v1/executions/{fired['id']}/outcome", {"success": success})
    usage = await user.ok("GET", "/v1/usage")
    assert usage["plan"] == "scale"
    assert usage["cues"] == {
        "used": 1,
        "active": 1,
        "paused": 1,
        "limit": 500,
        "remaining": 499,
        "percent_used": 0,
    }
    assert (usage["executions"]["used"], usage["executions"]["limit"]) == (3, 50_000)
    assert usage["executions"]["grace_ends_at"] is None
    assert usage["outcomes"] == {"reported": 3, "succeeded": 2, "failed": 1}
    assert usage["rate_limit"] == {"limit": 500, "requests_per_minute": 500, "current_usage": 10}
    assert usage["upgrade_url"] is None
