"""Test deliveries: what is sent, what is told of it, and that nothing goes on record."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from starlette.types import ASGIApp

from libs.events.answers import DeliveryTestAnswer, RequestMade, ResponseGot
from libs.events.execution_commands import SendTestDelivery
from libs.events.log import PostgresLog
from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.names import NameLookup
from libs.runtime.postgres import Database
from services.api.routes.ports import Rules
from services.dispatcher.adapters.webhook import HttpWebhook
from tests.services.api.bodies import CUE
from tests.services.api.conftest import SECRET, Fixture, addresses_of
from tests.services.api.real import User, application, registered

CUE_ID = "cue_a1b2c3d4e5f6"
TEST = f"/v1/cues/{CUE_ID}/test"
REQUEST = RequestMade(
    method="POST", url="https://a.example/hook", headers={"X-CueAPI-Test": "true"}, body="{}"
)
LOOPBACK = EgressPolicy(allow_insecure=True)


# On fakes: the shape of the answer, and who is too busy.


async def test_what_was_sent_and_answered_is_told(api: Fixture) -> None:
    response = ResponseGot(status=201, headers={"Server": "mine"}, body="thanks", cut=True)
    sent = DeliveryTestAnswer(request=REQUEST, duration_ms=12, response=response)
    api.bus.answer(SendTestDelivery, lambda _: sent)
    told = await api.client.post(TEST)
    assert told.status_code == 200
    assert told.json() == {
        "cue_id": CUE_ID,
        "result": "delivered",
        "duration_ms": 12,
        "error": None,
        "error_message": None,
        "request": {
            "method": "POST",
            "url": "https://a.example/hook",
            "headers": {"X-CueAPI-Test": "true"},
            "body": "{}",
            "body_truncated": False,
        },
        "response": {
            "status": 201,
            "headers": {"Server": "mine"},
            "body": "thanks",
            "body_truncated": True,
        },
    }


@pytest.mark.parametrize(
    ("code", "status"),
    [("cue_not_found", 404), ("invalid_state", 409), ("rate_limit_exceeded", 429)],
)
async def test_what_the_dispatcher_refuses_is_refused(api: Fixture, code: str, status: int) -> None:
    api.bus.refuse(code)
    refused = await api.client.post(TEST)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert ("Retry-After" in refused.headers) == (status == 429)


async def test_an_id_that_can_be_none_is_not_asked_about(api: Fixture) -> None:
    assert (await api.client.post("/v1/cues/nothing/test")).status_code == 404
    assert api.bus.commands == []


async def test_a_body_says_nothing(api: Fixture) -> None:
    refused = await api.client.post(TEST, json={"payload": {}})
    assert refused.json()["error"]["details"][0]["field"] == "body.payload"


# On Postgres, with a real receiver.


class Receiver:
    """Keeps what it is sent; answers with `answer` once `go` is set."""

    def __init__(self) -> None:
        self.heard: list[tuple[web.Request, bytes]] = []
        self.answer: Callable[[], web.Response] = web.Response
        self.go = asyncio.Event()
        self.go.set()

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append((request, await request.read()))
        await self.go.wait()
        return self.answer()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def url(receiver: Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.hear)
    async with TestServer(app) as server:
        yield str(server.make_url("/hook"))


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(params=[LOOPBACK])
async def app(
    request: pytest.FixtureRequest, postgres_log: PostgresLog, lookup: NameLookup
) -> AsyncIterator[ASGIApp]:
    """The API may store any URL; where deliveries may go is the parameter."""
    rules = Rules(default_plan="scale", session_secret=SECRET, egress=LOOPBACK)
    async with OutboundClient(
        request.param, lookup, user_agent="CueAPI/1.0", max_connections=16
    ) as client:
        webhook = HttpWebhook(client, request.param)
        yield application(postgres_log, lookup, rules, webhook=webhook)


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


async def made(user: User, url: str, **changes: Any) -> str:
    callback = {"url": url, "headers": {"X-Secret": "42", "Authorization": "Bearer mine"}}
    cue = {**CUE, "callback": callback, "payload": {"task": "ü"}, **changes}
    return f"/v1/cues/{(await user.ok('POST', '/v1/cues', cue))['id']}/test"


async def on_record(database: Database) -> Any:
    return await database.rows(
        "select (select count(*) from events) as events, (select count(*) from blobs) as blobs,"
        " (select count(*) from executions) as executions"
    )


@pytest.mark.integration
async def test_one_signed_request_is_sent_and_nothing_recorded(
    user: User, receiver: Receiver, url: str, database: Database
) -> None:
    test = await made(user, url)
    before = await on_record(database)
    receiver.answer = lambda: web.Response(text='{"success": true}', headers={"X-Mine": "1"})
    told = await user.ok("POST", test)
    [(request, body)] = receiver.heard
    secret = (await user.ok("GET", "/v1/auth/webhook-secret"))["webhook_secret"]
    message = request.headers["X-CueAPI-Timestamp"].encode() + b"." + body
    signature = "v1=" + hmac.digest(secret.encode(), message, "sha256").hex()
    assert request.headers["X-CueAPI-Signature"] == signature
    assert request.headers["X-CueAPI-Test"] == "true"
    assert request.headers["X-Secret"] == "42"
    assert told["request"]["body"] == body.decode()
    shown = told["request"]["headers"]
    assert {**request.headers, "X-Secret": "***", "Authorization": "***"}.items() >= shown.items()
    assert shown["X-CueAPI-Signature"] == signature
    assert shown["X-Secret"] == shown["Authorization"] == "***"
    assert (told["result"], told["error"]) == ("delivered", None)
    assert told["response"]["status"] == 200
    assert told["response"]["headers"]["X-Mine"] == "1"
    assert told["response"]["body"] == '{"success": true}'
    assert await on_record(database) == before
    usage = await user.ok("GET", "/v1/usage")
    assert usage["executions"]["used"] == 0


@pytest.mark.integration
async def test_an_error_status_is_a_failed_test(user: User, receiver: Receiver, url: str) -> None:
    receiver.answer = lambda: web.Response(status=500, text="x" * 70_000)
    told = await user.ok("POST", await made(user, url))
    assert (told["result"], told["error"]) == ("failed", "status")
    assert "(500)" in told["error_message"]
    assert told["response"]["body"] == "x" * 65_536
    assert told["response"]["body_truncated"] is True


@pytest.mark.integration
async def test_silence_is_told_as_a_timeout(user: User, receiver: Receiver, url: str) -> None:
    receiver.go.clear()
    told = await user.ok("POST", await made(user, url, delivery={"timeout_seconds": 1}))
    receiver.go.set()
    assert (told["result"], told["error"], told["response"]) == ("failed", "timeout", None)
    assert "timed out" in told["error_message"]
    assert told["duration_ms"] >= 1_000


@pytest.mark.integration
@pytest.mark.parametrize("app", [EgressPolicy()], indirect=True)
async def test_a_blocked_address_is_not_dialed(user: User, receiver: Receiver, url: str) -> None:
    told = await user.ok("POST", await made(user, url))
    assert (told["result"], told["error"], told["response"]) == ("failed", "blocked", None)
    assert "blocked" in told["error_message"]
    assert receiver.heard == []


@pytest.mark.integration
async def test_a_get_sends_no_body(user: User, receiver: Receiver, url: str) -> None:
    told = await user.ok("POST", await made(user, url, callback={"url": url, "method": "GET"}))
    assert (told["request"]["method"], told["request"]["body"]) == ("GET", "")
    [(request, body)] = receiver.heard
    assert (request.method, body) == ("GET", b"")


@pytest.mark.integration
async def test_paused_cues_can_be_tested_and_workers_and_strangers_cannot(
    app: ASGIApp, user: User, receiver: Receiver, url: str
) -> None:
    test = await made(user, url)
    await user.ok("PATCH", test.removesuffix("/test"), {"status": "paused"})
    assert (await user.ok("POST", test))["result"] == "delivered"
    stranger = await registered(app)
    assert await stranger.refused("POST", test) == (404, "cue_not_found")
    for_worker = await made(user, url, name="other", transport="worker")
    assert await user.refused("POST", for_worker) == (409, "invalid_state")
    await user.ok("DELETE", test.removesuffix("/test"))
    assert await user.refused("POST", test) == (404, "cue_not_found")
    assert len(receiver.heard) == 1


@pytest.mark.integration
async def test_a_key_sends_it_once(user: User, receiver: Receiver, url: str) -> None:
    test = await made(user, url)
    first = await user.ok("POST", test, Idempotency_Key="k")
    again = await user.call("POST", test, Idempotency_Key="k")
    assert again.json() == first
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(receiver.heard) == 1
    assert (await user.ok("POST", test, Idempotency_Key="other"))["result"] == "delivered"
    assert len(receiver.heard) == 2


@pytest.mark.integration
async def test_two_at_once_with_one_key_get_one_answer(
    user: User, receiver: Receiver, url: str
) -> None:
    test = await made(user, url)
    told = await asyncio.gather(*(user.ok("POST", test, Idempotency_Key="k") for _ in range(2)))
    assert told[0] == told[1]


@pytest.mark.integration
async def test_an_account_has_four_tests_on_the_wire(
    app: ASGIApp, user: User, receiver: Receiver, url: str
) -> None:
    test = await made(user, url)
    other = await registered(app)
    others = await made(other, url)
    receiver.go.clear()
    calls = [asyncio.create_task(user.call("POST", test)) for _ in range(5)]
    done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    [busy] = [call.result() for call in done]
    assert (busy.status_code, busy.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(busy.headers["Retry-After"]) >= 1
    elsewhere = asyncio.create_task(other.call("POST", others))
    receiver.go.set()
    answers = await asyncio.gather(*calls, elsewhere)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429]
