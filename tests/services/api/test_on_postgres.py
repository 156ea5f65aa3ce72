"""Accounts and cues on real Postgres and the real deciders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from starlette.types import ASGIApp

from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.postgres import Database
from services.api.routes.ports import Rules
from tests.services.api.bodies import CRON, CUE, WORKER_CUE
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, client_of, registered

pytestmark = pytest.mark.integration


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
