"""The account, its keys, secrets and sessions (contract §2 nr 17-29), on real Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from libs.events.log import PostgresLog
from libs.events.upkeep import Upkeep
from libs.runtime.health import Health
from libs.runtime.http.names import NameLookup
from libs.runtime.postgres import Database
from services.api.adapters.mail import letter_of
from services.api.routes.ports import Rules
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.fakes import PostBox
from tests.services.api.real import User, application, client_of, registered

pytestmark = pytest.mark.integration

RULES = Rules(default_plan="scale", session_secret=SECRET)
NO_KEY = "0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11"


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
def post() -> PostBox:
    return PostBox()


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog, lookup: NameLookup, post: PostBox) -> ASGIApp:
    return application(postgres_log, lookup, RULES, post)


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


@pytest.fixture
async def minted(user: User) -> dict[str, Any]:
    return await user.ok("POST", "/v1/auth/keys", {"label": " ci-server "})


async def events_of(database: Database, user: User) -> list[str]:
    account = (await user.ok("GET", "/v1/auth/me"))["id"]
    rows = await database.rows(
        "select type from events where stream_id = %(stream)s order by version",
        {"stream": f"account-{account}"},
    )
    return [row["type"] for row in rows]


async def test_preferences_are_changed_one_by_one(user: User) -> None:
    before = await user.ok("GET", "/v1/auth/me")
    url = "https://ops.example.com/alerts"
    changed = await user.ok("PATCH", "/v1/auth/me", {"alert_webhook_url": url})
    assert changed == {**before, "alert_webhook_url": url, "updated_at": changed["updated_at"]}
    quiet = await user.ok("PATCH", "/v1/auth/me", {"email_notifications": False})
    assert (quiet["alert_webhook_url"], quiet["email_notifications"]) == (url, False)
    for cleared in ("", None):
        await user.ok("PATCH", "/v1/auth/me", {"alert_webhook_url": url})
        me = await user.ok("PATCH", "/v1/auth/me", {"alert_webhook_url": cleared})
        assert me["alert_webhook_url"] is None
        assert await user.ok("GET", "/v1/auth/me") == me


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (422, "no_fields")),
        ({"email": "nobody"}, (422, "validation_error")),
        ({"email": None}, (422, "validation_error")),
        ({"email_notifications": "yes"}, (422, "validation_error")),
        ({"plan": "scale"}, (422, "validation_error")),
        ({"alert_webhook_url": "http://ops.example.com"}, (400, "invalid_alert_webhook_url")),
        ({"alert_webhook_url": "https://10.0.0.1/"}, (400, "invalid_alert_webhook_url")),
    ],
)
async def test_what_cannot_be_changed(user: User, body: Any, refusal: tuple[int, str]) -> None:
    assert await user.refused("PATCH", "/v1/auth/me", body) == refusal


async def test_a_new_address_is_told_to_both(user: User, post: PostBox) -> None:
    new = user.email.replace("user", "other").upper()
    changed = await user.ok("PATCH", "/v1/auth/me", {"email": new})
    assert changed["email"] == new.lower()
    for address in (user.email, new.lower()):
        (mail,) = post.to(address)
        assert user.email in letter_of(mail).text
        assert new.lower() in letter_of(mail).text


async def test_an_address_belongs_to_one_account(app: ASGIApp, user: User) -> None:
    other = await registered(app)
    refused = await user.refused("PATCH", "/v1/auth/me", {"email": other.email})
    assert refused == (409, "duplicate_email")
    again = await user.ok("PATCH", "/v1/auth/me", {"email": user.email})
    assert again["email"] == user.email


async def test_the_default_key_can_be_shown_again(user: User, minted: dict[str, Any]) -> None:
    shown = {"api_key": user.api_key, "key_prefix": user.api_key[:12]}
    assert await user.ok("GET", "/v1/auth/key") == shown
    by_other = await user.ok("GET", "/v1/auth/key", Authorization=f"Bearer {minted['api_key']}")
    assert by_other == shown


async def test_showing_a_key_is_put_on_record_without_the_key(
    user: User, minted: dict[str, Any], database: Database
) -> None:
    for key in (user.api_key, minted["api_key"]):
        await user.ok("GET", "/v1/auth/key", Authorization=f"Bearer {key}")
    keys = (await user.ok("GET", "/v1/auth/keys"))["keys"]
    (default,) = [key["id"] for key in keys if key["is_default"]]
    rows = await database.rows(
        "select e.data, e.meta from events e join identities i on i.account_id = e.account_id"
        " where i.email = %s and e.type = 'ApiKeyShown' order by e.version",
        [user.email],
    )
    assert [row["data"]["key_id"] for row in rows] == [default, default]
    assert [row["meta"]["actor"] for row in rows] == [f"key:{default}", f"key:{minted['id']}"]
    assert user.api_key not in repr(rows)
    with capture_logs() as logs:
        shown = await user.ok("GET", "/v1/auth/key")
    [entry] = [entry for entry in logs if entry["event"] == "the default key was shown"]
    assert entry["account_id"]
    assert shown["api_key"] not in repr(logs)


async def test_showing_keys_can_be_switched_off(
    postgres_log: PostgresLog, lookup: NameLookup
) -> None:
    closed = application(postgres_log, lookup, replace(RULES, reveal_keys=False))
    user = await registered(closed)
    assert await user.refused("GET", "/v1/auth/key") == (410, "plaintext_unavailable")
    assert "ApiKeyShown" not in await events_of(postgres_log.database, user)


async def test_a_minted_key_is_shown_once(user: User, minted: dict[str, Any]) -> None:
    assert minted["label"] == "ci-server"
    assert minted["prefix"] == minted["api_key"][:12]
    assert (minted["is_default"], minted["status"], minted["created_by"]) == (
        False,
        "active",
        "user",
    )
    listed = await user.ok("GET", "/v1/auth/keys")
    newest, default = listed["keys"]
    assert newest == {name: value for name, value in minted.items() if name != "api_key"}
    assert (default["label"], default["is_default"], default["created_by"]) == (
        "default",
        True,
        "register",
    )
    assert default["last_used_at"] is not None
    me = await user.ok("GET", "/v1/auth/me", Authorization=f"Bearer {minted['api_key']}")
    assert me["email"] == user.email


@pytest.mark.parametrize("body", [{}, {"label": " "}, {"label": "x" * 101}, {"label": 1}])
async def test_keys_need_a_label(user: User, body: Any) -> None:
    assert await user.refused("POST", "/v1/auth/keys", body) == (422, "validation_error")


async def test_keys_are_minted_ten_an_hour(user: User) -> None:
    calls = [user.call("POST", "/v1/auth/keys", {"name": "same"}) for _ in range(12)]
    answers = await asyncio.gather(*calls)
    assert sorted(a.status_code for a in answers) == [201] * 10 + [429] * 2
    refused = next(a for a in answers if a.status_code == 429)
    assert 3_500 <= int(refused.headers["retry-after"]) <= 3_600
    assert len((await user.ok("GET", "/v1/auth/keys"))["keys"]) == 11


async def test_keys_are_renamed(user: User, minted: dict[str, Any]) -> None:
    path = f"/v1/auth/keys/{minted['id']}"
    renamed = await user.ok("PATCH", path, {"label": "laptop"})
    assert renamed["label"] == "laptop"
    await user.ok("DELETE", path)
    assert (await user.ok("PATCH", path, {"name": "old"}))["status"] == "revoked"
    assert "old" in [key["label"] for key in (await user.ok("GET", "/v1/auth/keys"))["keys"]]


async def test_a_revoked_key_ends_at_once(user: User, minted: dict[str, Any]) -> None:
    path = f"/v1/auth/keys/{minted['id']}"
    bearer = {"Authorization": f"Bearer {minted['api_key']}"}
    await user.ok("GET", "/v1/auth/me", **bearer)
    revoked = await user.ok("DELETE", path)
    assert await user.ok("DELETE", path) == revoked
    assert revoked["id"] == minted["id"]
    assert await user.refused("GET", "/v1/auth/me", **bearer) == (401, "key_revoked")
    listed = (await user.ok("GET", "/v1/auth/keys"))["keys"]
    assert [key["status"] for key in listed] == ["revoked", "active"]
    assert listed[0]["revoked_at"] == revoked["revoked_at"]


async def test_ended_keys_are_forgotten_after_thirty_days(
    user: User, minted: dict[str, Any], database: Database
) -> None:
    bearer = {"Authorization": f"Bearer {minted['api_key']}"}
    await user.ok("DELETE", f"/v1/auth/keys/{minted['id']}")
    keeping = Upkeep(database, Health())
    await keeping.run_once()
    assert await user.refused("GET", "/v1/auth/me", **bearer) == (401, "key_revoked")
    await database.execute(
        "update api_keys set revoked_at = now() - interval '30 days' where id = %s", [minted["id"]]
    )
    assert len((await user.ok("GET", "/v1/auth/keys"))["keys"]) == 1
    await keeping.run_once()
    assert await user.refused("GET", "/v1/auth/me", **bearer) == (401, "invalid_api_key")


async def test_the_last_key_stays(user: User, minted: dict[str, Any]) -> None:
    listed = (await user.ok("GET", "/v1/auth/keys"))["keys"]
    default = next(key["id"] for key in listed if key["is_default"])
    bearer = {"Authorization": f"Bearer {minted['api_key']}"}
    await user.ok("DELETE", f"/v1/auth/keys/{default}", **bearer)
    last = await user.refused("DELETE", f"/v1/auth/keys/{minted['id']}", **bearer)
    assert last == (409, "last_key_protected")
    assert await user.refused("GET", "/v1/auth/key", **bearer) == (410, "plaintext_unavailable")


async def test_of_two_last_keys_one_stays(user: User, minted: dict[str, Any]) -> None:
    ids = [key["id"] for key in (await user.ok("GET", "/v1/auth/keys"))["keys"]]
    bearer = {"Authorization": f"Bearer {minted['api_key']}"}
    answers = await asyncio.gather(
        *(user.call("DELETE", f"/v1/auth/keys/{key_id}", **bearer) for key_id in ids)
    )
    assert 200 in {a.status_code for a in answers}
    assert {a.status_code for a in answers} != {200}


@pytest.mark.parametrize("key_id", [NO_KEY, "not-an-id", NO_KEY.upper()])
async def test_keys_that_are_not_there(user: User, key_id: str) -> None:
    path = f"/v1/auth/keys/{key_id}"
    assert await user.refused("DELETE", path) == (404, "not_found")
    assert await user.refused("PATCH", path, {"label": "x"}) == (404, "not_found")


async def test_a_regenerated_key_replaces_the_one_used(
    user: User, post: PostBox, database: Database
) -> None:
    new = await user.ok("POST", "/v1/auth/key/regenerate", X_Confirm_Destructive="true")
    assert new["previous_key_revoked"] is True
    assert await user.refused("GET", "/v1/auth/me") == (401, "key_rotated")
    bearer = {"Authorization": f"Bearer {new['api_key']}"}
    assert (await user.ok("GET", "/v1/auth/key", **bearer))["api_key"] == new["api_key"]
    user.api_key = new["api_key"]
    (successor, _) = (await user.ok("GET", "/v1/auth/keys"))["keys"]
    assert (successor["label"], successor["is_default"]) == ("default", True)
    (mail,) = post.to(user.email)
    assert mail.template == "key_regenerated"
    assert new["api_key"] not in letter_of(mail).text
    assert await events_of(database, user) == [
        "AccountRegistered",
        "ApiKeyIssued",
        "ApiKeyRevoked",
        "ApiKeyIssued",
        "ApiKeyShown",
    ]


async def test_of_two_regenerations_one_wins(user: User) -> None:
    calls = [user.call("POST", "/v1/auth/key/regenerate") for _ in range(4)]
    assert sorted(a.status_code for a in await asyncio.gather(*calls)) == [200, 401, 401, 401]


@pytest.mark.parametrize("said", ["false", "yes", ""])
@pytest.mark.parametrize("path", ["key", "webhook-secret", "alert-webhook-secret"])
async def test_a_confirmation_may_not_say_otherwise(user: User, path: str, said: str) -> None:
    refused = await user.refused("POST", f"/v1/auth/{path}/regenerate", X_Confirm_Destructive=said)
    assert refused == (400, "confirmation_required")


async def test_secrets_are_rotated_at_once(user: User, post: PostBox) -> None:
    old = (await user.ok("GET", "/v1/auth/webhook-secret"))["webhook_secret"]
    new = await user.ok("POST", "/v1/auth/webhook-secret/regenerate")
    assert new["webhook_secret"] != old
    assert (new["previous_secret_revoked"], new["previous_secret_expires_at"]) == (True, None)
    shown = await user.ok("GET", "/v1/auth/webhook-secret")
    assert shown["webhook_secret"] == new["webhook_secret"]
    (mail,) = post.to(user.email)
    assert mail.template == "webhook_secret_rotated"
    assert "whsec_" not in letter_of(mail).text


async def test_secrets_may_overlap(user: User, database: Database, post: PostBox) -> None:
    new = await user.ok("POST", "/v1/auth/webhook-secret/regenerate", {"overlap_hours": 2})
    ends = datetime.fromisoformat(new["previous_secret_expires_at"])
    (row,) = await database.rows(
        "select previous_expires_at, now() as now, previous_sealed from webhook_secrets"
        " where account_id = %(id)s",
        {"id": (await user.ok("GET", "/v1/auth/me"))["id"]},
    )
    assert row["previous_expires_at"] == ends
    assert timedelta(minutes=119) < ends - row["now"] <= timedelta(hours=2)
    assert row["previous_sealed"] is not None
    assert new["previous_secret_expires_at"] in letter_of(post.to(user.email)[0]).text


@pytest.mark.parametrize("hours", [-1, 73, 1.5, "1"])
async def test_overlaps_have_bounds(user: User, hours: Any) -> None:
    refused = await user.refused(
        "POST", "/v1/auth/webhook-secret/regenerate", {"overlap_hours": hours}
    )
    assert refused == (422, "validation_error")


async def test_the_alert_secret_is_made_when_first_read(user: User) -> None:
    path = "/v1/auth/alert-webhook-secret"
    first = await asyncio.gather(*(user.ok("GET", path) for _ in range(3)))
    secret = first[0]["alert_webhook_secret"]
    assert [answer["alert_webhook_secret"] for answer in first] == [secret] * 3
    assert len(bytes.fromhex(secret)) == 32
    new = await user.ok("POST", f"{path}/regenerate")
    assert new["alert_webhook_secret"] != secret
    assert await user.ok("GET", path) == {"alert_webhook_secret": new["alert_webhook_secret"]}


async def test_a_key_starts_a_session(user: User) -> None:
    started = await user.ok("POST", "/v1/auth/session")
    claims = jwt.decode(started["session_token"], SECRET, ["HS256"])
    me = await user.ok("GET", "/v1/auth/me")
    assert (claims["sub"], claims["email"], claims["type"]) == (me["id"], user.email, "session")
    assert claims["exp"] == claims["iat"] + 86_400
    assert datetime.fromisoformat(started["expires_at"]).timestamp() == claims["exp"]
    bearer = {"Authorization": f"Bearer {started['session_token']}"}
    assert await user.ok("GET", "/v1/auth/me", **bearer) == me
    again = await user.ok("POST", "/v1/auth/session/refresh", **bearer)
    assert again["email"] == user.email


async def test_sessions_need_something_to_start_from(app: ASGIApp) -> None:
    async with client_of(app) as client:
        nothing = await client.post("/v1/auth/session")
        assert (nothing.status_code, nothing.json()["error"]["code"]) == (401, "invalid_api_key")
        wrong = await client.post("/v1/auth/session", json={"token": "stk_" + "0" * 64})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_token")


async def test_a_token_wins_over_a_bearer(user: User) -> None:
    refused = await user.refused("POST", "/v1/auth/session", {"token": "unknown"})
    assert refused == (401, "invalid_token")


async def test_without_a_secret_there_are_no_sessions(
    postgres_log: PostgresLog, lookup: NameLookup
) -> None:
    user = await registered(application(postgres_log, lookup, Rules(default_plan="scale")))
    for path in ("/v1/auth/session", "/v1/auth/session/refresh"):
        assert await user.refused("POST", path) == (503, "session_unavailable")


async def test_a_session_replaces_the_default_key(user: User, minted: dict[str, Any]) -> None:
    session = (await user.ok("POST", "/v1/auth/session"))["session_token"]
    bearer = {"Authorization": f"Bearer {session}"}
    new = await user.ok("POST", "/v1/auth/key/regenerate", **bearer)
    assert await user.refused("GET", "/v1/auth/me") == (401, "key_rotated")
    assert (await user.ok("GET", "/v1/auth/key", **bearer))["api_key"] == new["api_key"]
    await user.ok("GET", "/v1/auth/me", Authorization=f"Bearer {minted['api_key']}")


async def test_own_commands_happen_once_for_their_key(user: User, database: Database) -> None:
    once = {"Idempotency_Key": "only-once"}
    first = await user.call("POST", "/v1/auth/keys", {"label": "ci"}, **once)
    again = await user.call("POST", "/v1/auth/keys", {"label": "ci"}, **once)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = await user.refused("POST", "/v1/auth/keys", {"label": "other"}, **once)
    assert other == (409, "idempotency_key_conflict")
    kept = await database.rows("select reply::text as reply from command_results")
    assert first.json()["api_key"] not in "".join(row["reply"] for row in kept)


async def test_refusals_are_not_kept(user: User) -> None:
    once = {"Idempotency_Key": "later"}
    path = f"/v1/auth/keys/{NO_KEY}"
    assert await user.refused("DELETE", path, **once) == (404, "not_found")
    assert await user.refused("DELETE", path, **once) == (404, "not_found")


async def test_nothing_secret_rests_in_the_open(user: User, database: Database) -> None:
    minted = await user.ok("POST", "/v1/auth/keys", {"label": "x"}, Idempotency_Key="canary")
    secret = await user.ok("POST", "/v1/auth/webhook-secret/regenerate")
    alert = await user.ok("GET", "/v1/auth/alert-webhook-secret")
    planted = [
        user.api_key,
        minted["api_key"],
        secret["webhook_secret"],
        alert["alert_webhook_secret"],
    ]
    tables = await database.rows(
        "select table_name as name from information_schema.tables"
        " where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    for table in tables:
        rows = await database.rows(f"select t::text as text from {table['name']} t")
        text = "".join(row["text"] for row in rows)
        for value in planted:
            assert value not in text, table["name"]
            assert value.encode().hex() not in text, table["name"]
