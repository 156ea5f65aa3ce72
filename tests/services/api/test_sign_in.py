"""Sign-in by device code, its pages and its mail (contract §2 nr 28, 30-32), on real Postgres."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.types import ASGIApp

from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from services.api.adapters.mail import letter_of
from services.api.routes.ports import Rules
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.fakes import PostBox
from tests.services.api.real import User, application, client_of, registered

pytestmark = pytest.mark.integration

RULES = Rules(
    default_plan="scale",
    session_secret=SECRET,
    base_url="https://api.example",
    mcp_clients=frozenset({"claude"}),
    return_hosts=frozenset({"mcp.example"}),
)
BEGIN = "/v1/auth/device-code"
SUBMIT = f"{BEGIN}/submit-email"
POLL = f"{BEGIN}/poll"


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


def at_rest(code: str) -> str:
    return sha256(code.encode()).hexdigest()


class Browser:
    """A person before a terminal and a browser."""

    def __init__(self, app: ASGIApp, post: PostBox) -> None:
        self.app = app
        self.code = new_uuid()
        self.email = f"person-{new_uuid()}@example.com"
        self._post = post

    async def send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        async with client_of(self.app) as client:
            return await client.request(method, path, **sent)

    async def begin(self) -> None:
        response = await self.send("POST", BEGIN, json={"device_code": self.code})
        assert response.status_code == 201, response.text

    async def submit(self) -> httpx.Response:
        return await self.send("POST", SUBMIT, json={"device_code": self.code, "email": self.email})

    def link(self) -> str:
        mail = self._post.to(self.email)[-1]
        (found,) = re.findall(r"https://api\.example(/v1/auth/verify\S+)", letter_of(mail).text)
        return str(found)

    async def press(self, link: str) -> httpx.Response:
        query = parse_qs(urlsplit(link).query)
        form = {name: values[0] for name, values in query.items()}
        return await self.send("POST", "/v1/auth/verify", data=form)

    async def poll(self) -> dict[str, Any]:
        response = await self.send("POST", POLL, json={"device_code": self.code})
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def signed_in(self) -> dict[str, Any]:
        await self.begin()
        await self.submit()
        await self.press(self.link())
        return await self.poll()


@pytest.fixture
def person(app: ASGIApp, post: PostBox) -> Browser:
    return Browser(app, post)


async def test_a_new_person_signs_in(person: Browser) -> None:
    await person.begin()
    assert await person.poll() == {"status": "pending"}
    sent = await person.submit()
    assert (sent.status_code, sent.json()) == (200, {"status": "email_sent"})
    assert await person.poll() == {"status": "email_sent"}
    shown = await person.send("GET", person.link())
    assert shown.status_code == 200
    assert person.code in shown.text
    assert person.email in shown.text
    assert await person.poll() == {"status": "email_sent"}
    pressed = await person.press(person.link())
    assert (pressed.status_code, "Verified" in pressed.text) == (200, True)
    approved = await person.poll()
    assert approved == {
        "status": "approved",
        "email": person.email,
        "api_key": approved["api_key"],
        "session_token": approved["session_token"],
    }
    assert approved["session_token"].startswith("stk_")
    assert await person.poll() == {"status": "claimed"}
    user = User(person.app, approved["api_key"], person.email)
    (key,) = (await user.ok("GET", "/v1/auth/keys"))["keys"]
    assert (key["created_by"], key["is_default"]) == ("device_login", True)


async def test_a_known_person_gets_the_present_key(app: ASGIApp, person: Browser) -> None:
    user = await registered(app)
    person.email = user.email
    approved = await person.signed_in()
    assert approved["api_key"] == user.api_key
    assert "existing_user" not in approved


async def test_without_a_default_key_a_new_one_is_made(app: ASGIApp, person: Browser) -> None:
    user = await registered(app)
    other = (await user.ok("POST", "/v1/auth/keys", {"label": "x"}))["api_key"]
    bearer = {"Authorization": f"Bearer {other}"}
    keys = (await user.ok("GET", "/v1/auth/keys"))["keys"]
    default = next(key["id"] for key in keys if key["is_default"])
    await user.ok("DELETE", f"/v1/auth/keys/{default}", **bearer)
    person.email = user.email
    approved = await person.signed_in()
    shown = await user.ok("GET", "/v1/auth/key", **bearer)
    assert approved["api_key"] == shown["api_key"] != user.api_key


async def test_a_key_that_cannot_be_read_is_told(
    app: ASGIApp, person: Browser, database: Database
) -> None:
    user = await registered(app)
    await database.execute(
        "update api_keys set sealed = null where prefix = %s", [user.api_key[:12]]
    )
    person.email = user.email
    approved = await person.signed_in()
    assert approved["existing_user"] is True
    assert "api_key" not in approved


async def test_the_session_token_works_once(person: Browser) -> None:
    token = (await person.signed_in())["session_token"]
    tries = [person.send("POST", "/v1/auth/session", json={"token": token}) for _ in range(3)]
    answers = await asyncio.gather(*tries)
    assert sorted(a.status_code for a in answers) == [200, 401, 401]
    started = next(a for a in answers if a.status_code == 200).json()
    assert started["email"] == person.email


async def test_of_polls_at_once_one_gets_the_key(person: Browser) -> None:
    await person.begin()
    await person.submit()
    await person.press(person.link())
    polled = await asyncio.gather(*(person.poll() for _ in range(4)))
    assert sorted(answer["status"] for answer in polled) == ["approved"] + ["claimed"] * 3


async def test_the_link_works_once(person: Browser) -> None:
    await person.begin()
    await person.submit()
    link = person.link()
    pressed = await asyncio.gather(*(person.press(link) for _ in range(3)))
    assert sorted(page.status_code for page in pressed) == [200, 400, 400]
    assert (await person.send("GET", link)).status_code == 400


async def test_a_new_link_replaces_the_one_before(person: Browser, post: PostBox) -> None:
    await person.begin()
    await person.submit()
    old, first = person.link(), person.email
    person.email = f"second-{first}"
    await person.submit()
    assert (await person.press(old)).status_code == 400
    assert (await person.press(person.link())).status_code == 200
    assert (await person.poll())["email"] == person.email


@pytest.mark.parametrize("token", ["", "0" * 64, "é", "\0"])
async def test_wrong_links_are_refused(person: Browser, token: str) -> None:
    await person.begin()
    await person.submit()
    for method in ("GET", "POST"):
        query = {"token": token, "device_code": person.code}
        response = await person.send(method, "/v1/auth/verify", params=query)
        assert response.status_code in (400, 422)
    assert (await person.poll()) == {"status": "email_sent"}


async def test_a_code_rests_hashed(person: Browser, database: Database) -> None:
    await person.begin()
    await person.submit()
    await person.poll()
    for table in ("device_codes", "rate_windows"):
        rows = await database.rows(f"select t::text as row from {table} t")
        dump = "\n".join(row["row"] for row in rows)
        assert person.code not in dump
        assert at_rest(person.code) in dump
    # What rests there opens nothing.
    person.code = at_rest(person.code)
    assert await person.poll() == {"status": "expired"}


async def test_everything_expires(person: Browser, database: Database) -> None:
    await person.begin()
    await person.submit()
    await database.execute(
        "update device_codes set expires_at = now() where code = %s", [at_rest(person.code)]
    )
    assert await person.poll() == {"status": "expired"}
    refused = await person.submit()
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "device_code_expired")
    assert (await person.send("GET", person.link())).status_code == 400
    assert (await person.press(person.link())).status_code == 400
    await person.begin()
    assert await person.poll() == {"status": "pending"}


@pytest.mark.parametrize("code", ["short", "x" * 129, "with space", "a.b.c.d", "ééééééé", ""])
async def test_codes_have_a_form(person: Browser, code: str) -> None:
    refused = await person.send("POST", BEGIN, json={"device_code": code})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_device_code")
    person.code = code
    assert await person.poll() == {"status": "expired"}


async def test_the_server_makes_codes_too(person: Browser) -> None:
    made = (await person.send("POST", BEGIN)).json()
    assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}", made["device_code"])
    assert made["verification_url"] == (
        f"https://api.example/auth/device?code={made['device_code']}"
    )
    assert (made["expires_in"], made["interval"]) == (900, 2)


async def test_a_code_in_use_is_taken(person: Browser) -> None:
    await person.begin()
    refused = await person.send("POST", BEGIN, json={"device_code": person.code})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "device_code_exists")
    await person.submit()
    await person.press(person.link())
    refused = await person.send("POST", BEGIN, json={"device_code": person.code})
    assert refused.status_code == 409
    await person.poll()
    await person.begin()


async def test_addresses_come_for_codes_that_wait(person: Browser) -> None:
    unknown = await person.submit()
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "device_code_not_found")
    await person.signed_in()
    late = await person.submit()
    assert (late.status_code, late.json()["error"]["code"]) == (400, "invalid_status")


async def test_an_address_gets_three_links_an_hour(person: Browser, post: PostBox) -> None:
    await person.begin()
    answers = [await person.submit() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 3_000
    assert len(post.to(person.email)) == 3


async def test_one_address_begins_five_sign_ins_an_hour(app: ASGIApp) -> None:
    async with client_of(app) as client:
        answers = [await client.post(BEGIN) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]


async def test_a_code_is_polled_thirty_times_a_minute(person: Browser) -> None:
    await person.begin()
    for _ in range(30):
        await person.poll()
    refused = await person.send("POST", POLL, json={"device_code": person.code})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")


async def test_pages_escape_what_they_show(person: Browser) -> None:
    nasty = "<script>alert(1)</script>'\""
    response = await person.send("GET", "/auth/device", params={"code": nasty})
    assert response.status_code == 200
    assert "<script>alert" not in response.text
    assert "<title>CueAPI Login</title>" in response.text
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_a_dashboard_gets_a_token_of_its_own(
    postgres_log: PostgresLog, lookup: NameLookup, post: PostBox
) -> None:
    rules = replace(RULES, dashboard_url="https://dash.example/")
    person = Browser(application(postgres_log, lookup, rules, post), post)
    await person.begin()
    await person.submit()
    page = (await person.press(person.link())).text
    (token,) = re.findall(r"https://dash\.example/login#auth=[^\"]*(stk_[0-9a-f]{64})", page)[:1]
    session = await person.send("POST", "/v1/auth/session", json={"token": token})
    assert session.json()["email"] == person.email
    assert (await person.poll())["status"] == "approved"


async def test_an_mcp_client_gets_a_key_of_its_own(person: Browser, post: PostBox) -> None:
    entry = {"return_to": "https://mcp.example/back?a=1", "state": "s&t"}
    shown = await person.send("GET", "/auth/magic-link", params=entry)
    (person.code,) = re.findall(r'data-code="([^"]+)"', shown.text)
    await person.submit()
    page = (await person.press(person.link())).text
    (onward,) = re.findall(r'href="(https://mcp\.example[^"]+)"', page)
    query = parse_qs(urlsplit(onward.replace("&amp;", "&")).query)
    assert (query["a"], query["state"]) == (["1"], ["s&t"])
    body = {"session_token": query["session_token"][0], "client_id": "claude"}
    made = await person.send("POST", "/v1/auth/mcp-exchange", json=body)
    assert made.status_code == 200, made.text
    assert made.json()["expires_at"] is None
    again = await person.send("POST", "/v1/auth/mcp-exchange", json=body)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "invalid_token")
    user = User(person.app, made.json()["api_key"], person.email)
    me = await user.ok("GET", "/v1/auth/me")
    assert me["id"] == made.json()["user_id"]
    labels = {key["label"]: key for key in (await user.ok("GET", "/v1/auth/keys"))["keys"]}
    assert labels["mcp:claude:mcp-connection"]["created_by"] == "mcp-exchange"


async def test_only_known_clients_and_hosts(person: Browser) -> None:
    stranger = {"session_token": "x", "client_id": "stranger"}
    refused = await person.send("POST", "/v1/auth/mcp-exchange", json=stranger)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    for to in ("https://evil.example/", "http://mcp.example/", "//mcp.example/", "javascript:1"):
        shown = await person.send("GET", "/auth/magic-link", params={"return_to": to})
        assert shown.status_code == 404
