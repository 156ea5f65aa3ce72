"""The dashboard's cookie, for an account that is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp

from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from services.api.routes.dashboard_session import COOKIE
from services.api.routes.ports import Rules
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import application, client_of, registered

pytestmark = pytest.mark.integration

SESSION = "/dashboard/session"


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


def app_of(log: PostgresLog, lookup: NameLookup, base_url: str) -> ASGIApp:
    return application(log, lookup, Rules(session_secret=SECRET, base_url=base_url))


async def test_a_session_is_resumed_by_its_cookie(
    postgres_log: PostgresLog, lookup: NameLookup
) -> None:
    app = app_of(postgres_log, lookup, "http://api")
    user = await registered(app)
    started = await user.call("POST", SESSION)
    assert started.json()["email"] == user.email
    cookie = started.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", f"path={SESSION}"):
        assert part in cookie
    kept = {"Cookie": f"{COOKIE}={started.cookies[COOKIE]}"}
    async with client_of(app) as client:
        resumed = (await client.post(SESSION, headers=kept)).json()
        assert resumed["email"] == user.email
        bearer = {"Authorization": f"Bearer {resumed['session_token']}"}
        assert (await client.get("/v1/auth/me", headers=bearer)).status_code == 200
        # To the API the cookie is worth nothing.
        assert (await client.get("/v1/auth/me", headers=kept)).status_code == 401


async def test_behind_https_the_cookie_never_travels_in_the_clear(
    postgres_log: PostgresLog, lookup: NameLookup
) -> None:
    user = await registered(app_of(postgres_log, lookup, "https://api.example.com"))
    assert "secure" in (await user.call("POST", SESSION)).headers["set-cookie"].lower()
