"""Who is let in (contract §1 "Auth", §10 "Rate"); the statement itself is tested on Postgres."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import jwt
import pytest

from libs.runtime.http.names import NameLookup
from services.api.app import build
from services.api.routes.ports import Rules
from services.api.routes.windows import SlidingWindows
from services.api.rules.addresses import client_address
from tests.services.api.conftest import API_KEY, SECRET, Fixture
from tests.services.api.fakes import ACCOUNT, admission


def session(secret: str = SECRET, **claims: Any) -> str:
    now = datetime.now(UTC)
    plain = {
        "sub": ACCOUNT,
        "email": "you@example.com",
        "type": "session",
        "iat": now,
        "exp": now + timedelta(hours=24),
        **claims,
    }
    return jwt.encode({k: v for k, v in plain.items() if v is not None}, secret, "HS256")


async def get(api: Fixture, authorization: str | None, path: str = "/v1/cues") -> httpx.Response:
    api.client.headers.pop("Authorization", None)
    sent = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
    return await api.client.get(path, headers=sent)


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "invalid_api_key"),
        ("", "invalid_api_key"),
        ("Bearer", "invalid_api_key"),
        ("Bearer  ", "invalid_api_key"),
        (API_KEY, "invalid_api_key"),
        (f"Basic {API_KEY}", "invalid_api_key"),
        ("Bearer garbage", "invalid_api_key"),
        (f"Bearer {API_KEY.upper()}", "invalid_api_key"),
        (f"Bearer {API_KEY}0", "invalid_api_key"),
        ("Bearer a.b.c", "invalid_session"),
        ("Bearer ..", "invalid_session"),
        ("Bearer \xff.\xfe.\xfd", "invalid_session"),
        (f"Bearer {session('t' * 40)}", "invalid_session"),
        (f"Bearer {session(type='device')}", "invalid_session"),
        (f"Bearer {session(sub='me')}", "invalid_session"),
        (f"Bearer {session(sub=None)}", "invalid_session"),
        (f"Bearer {session(exp=None)}", "invalid_session"),
        (f"Bearer {session(exp=datetime.now(UTC))}", "session_expired"),
        (f"Bearer {jwt.encode({'sub': ACCOUNT}, '', 'none')}", "invalid_session"),
    ],
)
async def test_tokens_that_are_none(api: Fixture, authorization: str | None, code: str) -> None:
    response = await get(api, authorization)
    assert (response.status_code, response.json()["error"]["code"]) == (401, code)
    assert "rate_windows" not in "".join(sql for sql, _ in api.store.asked)


@pytest.mark.parametrize(
    ("found", "token", "code"),
    [
        (None, API_KEY, "invalid_api_key"),
        (admission(status="revoked", revoked_reason="revoked"), API_KEY, "key_revoked"),
        (admission(status="revoked", revoked_reason="rotated"), API_KEY, "key_rotated"),
        (None, session(), "invalid_session"),
    ],
)
async def test_tokens_that_are_over(
    api: Fixture, found: dict[str, Any] | None, token: str, code: str
) -> None:
    api.store.admission = found
    response = await get(api, f"Bearer {token}")
    assert (response.status_code, response.json()["error"]["code"]) == (401, code)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("token", [API_KEY, session()])
async def test_tokens_that_are_good(api: Fixture, scheme: str, token: str) -> None:
    assert (await get(api, f"{scheme} {token}")).status_code == 200


async def test_limits_are_told_on_every_answer(api: Fixture) -> None:
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    api.store.admission = admission(used=7, resets_at=ends)
    for path, status in (("/v1/cues", 200), ("/v1/cues?limit=0", 422), ("/v1/cues/x", 404)):
        response = await get(api, f"Bearer {API_KEY}", path)
        assert response.status_code == status
        assert response.headers["x-ratelimit-limit"] == "60"
        assert response.headers["x-ratelimit-remaining"] == "53"
        assert response.headers["x-ratelimit-reset"] == str(int(ends.timestamp()))


async def test_a_full_window_is_429(api: Fixture) -> None:
    resets_at = datetime.now(UTC) + timedelta(seconds=12.3)
    api.store.admission = admission(plan="pro", counted=False, used=0, resets_at=resets_at)
    response = await get(api, f"Bearer {API_KEY}")
    assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 12 <= int(response.headers["retry-after"]) <= 13
    assert response.headers["x-ratelimit-limit"] == "200"
    assert response.headers["x-ratelimit-remaining"] == "0"


async def test_retry_after_is_at_least_a_second(api: Fixture) -> None:
    api.store.admission = admission(counted=False, used=0, resets_at=datetime.now(UTC))
    assert (await get(api, f"Bearer {API_KEY}")).headers["retry-after"] == "1"


async def test_strangers_share_sixty_requests_a_minute(api: Fixture) -> None:
    for _ in range(60):
        assert (await get(api, None)).status_code == 401
    refused = await get(api, None)
    assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 60)
    assert (await get(api, f"Bearer {API_KEY}")).status_code == 200
    assert (await get(api, None, "/health")).status_code == 200
    assert (await get(api, None, "/nope")).status_code == 404


@pytest.mark.parametrize(
    ("executions", "warning"),
    [(239, None), (240, "approaching_limit"), (299, "approaching_limit"), (300, "limit_reached")],
)
async def test_usage_is_warned_of(api: Fixture, executions: int, warning: str | None) -> None:
    api.store.admission = admission(executions=executions)
    response = await get(api, f"Bearer {API_KEY}")
    assert response.headers.get("x-cueapi-usage-warning") == warning


async def test_without_quotas_nothing_is_limited(api: Fixture, names: NameLookup) -> None:
    ports = replace(api.ports, rules=Rules(enforce_quotas=False))
    transport = httpx.ASGITransport(app=build(ports))
    api.store.admission = admission(counted=False, used=0, executions=10_000)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        response = await client.get("/v1/cues", headers={"Authorization": f"Bearer {API_KEY}"})
        assert response.status_code == 200
        assert not [name for name in response.headers if name.startswith("x-ratelimit")]
        assert "x-cueapi-usage-warning" not in response.headers
        answers = [await client.get("/v1/cues") for _ in range(61)]
    assert {answer.status_code for answer in answers} == {401}
    assert not [sql for sql, _ in api.store.asked if "rate_windows" in sql]


def test_a_window_slides() -> None:
    windows = SlidingWindows(limit=2)
    assert windows.count("a", 0.0) == (True, 1, 60.0)
    assert windows.count("a", 30.0) == (True, 2, 60.0)
    assert windows.count("a", 59.0) == (False, 2, 1.0)
    assert windows.count("b", 59.0).counted
    assert windows.count("a", 60.0).counted
    assert not windows.count("a", 60.0).counted


def test_windows_forget_whom_they_saw_longest_ago() -> None:
    windows = SlidingWindows(limit=1, max_subjects=2)
    for subject in ("a", "b", "c"):
        assert windows.count(subject, 0.0).counted
    assert not windows.count("c", 1.0).counted
    assert windows.count("a", 1.0).counted


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("9.9.9.9", "", "9.9.9.9"),
        ("9.9.9.9", "1.2.3.4", "9.9.9.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
        ("", "1.2.3.4", ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: str, client: str) -> None:
    trusted = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert client_address(peer, forwarded, trusted) == client
