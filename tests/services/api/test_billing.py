"""Billing (contract §2 nr 37, 38) through Stripe's library, on a local server in Stripe's place."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from aiohttp import web
from starlette.types import ASGIApp

from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from services.api.adapters.billing import StripeBilling
from services.api.routes.ports import Rules
from tests.services.api.bodies import CUE
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, client_of, registered

pytestmark = pytest.mark.integration

SIGNING = "whsec_test"
PRICES = {("pro", "monthly"): "price_pro", ("scale", "annual"): "price_scale"}


class FakeStripe:
    """Answers as Stripe does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.broken = False

    async def answer(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.asked.append({"path": request.path, **form})
        if self.broken:
            error = {"type": "invalid_request_error", "message": "No such price"}
            return web.json_response({"error": error}, status=400)
        kind = "checkout.session" if "checkout" in request.path else "billing_portal.session"
        page = {"id": "x", "object": kind, "url": f"https://stripe.example{request.path}"}
        return web.json_response(page)


@pytest.fixture(scope="module")
async def stripe() -> AsyncIterator[FakeStripe]:
    fake = FakeStripe()
    app = web.Application()
    app.router.add_post("/v1/{tail:.*}", fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    fake.url = f"http://{host}:{port}"
    yield fake
    await runner.cleanup()


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
async def app(
    postgres_log: PostgresLog, lookup: NameLookup, stripe: FakeStripe
) -> AsyncIterator[ASGIApp]:
    rules = Rules(session_secret=SECRET, dashboard_url="https://dash.example")
    billing = StripeBilling("sk_test", SIGNING, PRICES, stripe.url)
    yield application(postgres_log, lookup, rules, billing=billing)
    await billing.close()


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


async def notify(app: ASGIApp, kind: str, thing: dict[str, Any]) -> httpx.Response:
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": thing}}
    body = json.dumps(event)
    now = int(datetime.now(UTC).timestamp())
    digest = hmac.new(SIGNING.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    async with client_of(app) as client:
        return await client.post(
            "/v1/billing/webhook",
            content=body,
            headers={"Stripe-Signature": f"t={now},v1={digest}"},
        )


async def subscribe(app: ASGIApp, user: User, plan: str) -> str:
    account = (await user.ok("GET", "/v1/auth/me"))["id"]
    thing = {
        "object": "checkout.session",
        "customer": f"cus_{account}",
        "client_reference_id": account,
        "metadata": {"plan": plan},
    }
    assert (await notify(app, "checkout.session.completed", thing)).json() == {"received": True}
    return f"cus_{account}"


async def test_a_plan_is_bought(app: ASGIApp, user: User, stripe: FakeStripe) -> None:
    url = await user.ok("POST", "/v1/billing/checkout", {"plan": "pro"})
    assert url == {"checkout_url": "https://stripe.example/v1/checkout/sessions"}
    asked = stripe.asked[-1]
    assert asked["line_items[0][price]"] == "price_pro"
    assert asked["customer_email"] == user.email
    assert asked["success_url"] == "https://dash.example/billing"
    await subscribe(app, user, "pro")
    me = await user.ok("GET", "/v1/auth/me")
    assert (me["plan"], me["active_cue_limit"]) == ("pro", 100)


async def test_a_key_makes_one_checkout_and_one_visit(
    app: ASGIApp, user: User, stripe: FakeStripe
) -> None:
    await subscribe(app, user, "pro")
    for path, body in (("checkout", {"plan": "pro"}), ("portal", {})):
        asked = len(stripe.asked)
        first = await user.call("POST", f"/v1/billing/{path}", body, Idempotency_Key=path)
        again = await user.call("POST", f"/v1/billing/{path}", body, Idempotency_Key=path)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["idempotent-replayed"] == "true"
        assert len(stripe.asked) == asked + 1
    other = {"plan": "pro", "interval": "monthly"}
    refused = await user.refused("POST", "/v1/billing/checkout", other, Idempotency_Key="checkout")
    assert refused == (409, "idempotency_key_conflict")


async def test_a_subscription_is_managed(app: ASGIApp, user: User, stripe: FakeStripe) -> None:
    refused = await user.refused("POST", "/v1/billing/portal")
    assert refused == (400, "no_stripe_customer")
    customer = await subscribe(app, user, "scale")
    url = await user.ok("POST", "/v1/billing/portal")
    assert url == {"portal_url": "https://stripe.example/v1/billing_portal/sessions"}
    assert stripe.asked[-1]["customer"] == customer
    await user.ok("POST", "/v1/billing/checkout", {"plan": "scale", "interval": "annual"})
    assert stripe.asked[-1]["customer"] == customer


async def test_an_ended_subscription_pauses_the_surplus(app: ASGIApp, user: User) -> None:
    customer = await subscribe(app, user, "pro")
    for n in range(12):
        await user.ok("POST", "/v1/cues", {**CUE, "name": f"cue {n}"})
    for _ in range(2):
        ended = {"object": "subscription", "customer": customer, "status": "canceled"}
        assert (await notify(app, "customer.subscription.deleted", ended)).status_code == 200
    assert (await user.ok("GET", "/v1/auth/me"))["plan"] == "free"
    paused = (await user.ok("GET", "/v1/cues?status=paused"))["cues"]
    assert [cue["name"] for cue in paused] == ["cue 11", "cue 10"]


async def test_a_changed_subscription_changes_the_plan(app: ASGIApp, user: User) -> None:
    customer = await subscribe(app, user, "pro")
    thing = {
        "object": "subscription",
        "customer": customer,
        "status": "active",
        "items": {"data": [{"price": {"id": "price_scale"}}]},
    }
    await notify(app, "customer.subscription.updated", thing)
    assert (await user.ok("GET", "/v1/auth/me"))["plan"] == "scale"
    await notify(app, "customer.subscription.updated", {**thing, "status": "unpaid"})
    assert (await user.ok("GET", "/v1/auth/me"))["plan"] == "free"


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("invoice.paid", {"object": "invoice", "customer": "cus_x"}),
        ("customer.subscription.deleted", {"object": "subscription", "customer": "cus_none"}),
        ("checkout.session.completed", {"object": "checkout.session", "customer": None}),
        (
            "checkout.session.completed",
            {"object": "checkout.session", "customer": "c", "client_reference_id": "x"},
        ),
    ],
)
async def test_other_notices_are_taken(app: ASGIApp, kind: str, thing: dict[str, Any]) -> None:
    assert (await notify(app, kind, thing)).status_code == 200


@pytest.mark.parametrize("signature", ["", "t=1,v1=00", "nonsense"])
@pytest.mark.parametrize("content", [b"{}", b"\xff", b""])
async def test_only_stripe_is_believed(app: ASGIApp, signature: str, content: bytes) -> None:
    async with client_of(app) as client:
        response = await client.post(
            "/v1/billing/webhook", content=content, headers={"Stripe-Signature": signature}
        )
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (422, "validation_error")),
        ({"plan": "free"}, (400, "invalid_plan")),
        ({"plan": "gold"}, (400, "invalid_plan")),
        ({"plan": "pro", "interval": "daily"}, (400, "invalid_interval")),
    ],
)
async def test_what_cannot_be_bought(user: User, body: Any, refusal: tuple[int, str]) -> None:
    assert await user.refused("POST", "/v1/billing/checkout", body) == refusal


async def test_stripes_refusals_are_told(user: User, stripe: FakeStripe) -> None:
    stripe.broken = True
    refused = await user.refused("POST", "/v1/billing/checkout", {"plan": "pro"})
    stripe.broken = False
    assert refused == (502, "stripe_error")
    no_price = {"plan": "pro", "interval": "annual"}
    assert await user.refused("POST", "/v1/billing/checkout", no_price) == (502, "stripe_error")


async def test_without_stripe_there_is_no_billing(
    postgres_log: PostgresLog, lookup: NameLookup
) -> None:
    user = await registered(application(postgres_log, lookup, Rules()))
    gone = (503, "billing_unavailable")
    assert await user.refused("POST", "/v1/billing/checkout", {"plan": "pro"}) == gone
    assert await user.refused("POST", "/v1/billing/portal") == gone
    assert await user.refused("POST", "/v1/billing/webhook") == gone
