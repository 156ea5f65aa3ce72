"""Plans: bought and managed on Stripe's pages, changed by its notices (contract §2 nr 37, 38)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from starlette.responses import Response

from libs.events.accounts import CATEGORY, PLANS, PlanChanged, allowance
from libs.events.answers import CueAnswer
from libs.events.cues import (
    UpdateCue,
)
from libs.events.envelope import Meta
from services.api.adapters.billing import (
    Billing,
    BillingFailed,
    Checkout,
    NotStripe,
    PlanNotice,
)
from services.api.errors import ApiError
from services.api.queries.cues import surplus_cues
from services.api.routes.call import Call
from services.api.routes.deciding import once
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.shapes import Lenient, NoFields, NoQuery, Wish
from services.api.routes.wire import Wire
from services.api.rules.ids import is_uuid
from services.api.tables.customers import (
    Customer,
    account_of_customer,
    find_customer,
    note_customer,
)

FREE = "free"
PAID_PLANS = tuple(name for name in PLANS if name != FREE)
INTERVALS = ("monthly", "annual")

billing = Operations("Billing")


class CheckoutBody(Wish):
    """Which plan, paid how often."""

    plan: str
    interval: str = "monthly"


class NoticeBody(Lenient):
    """An event of Stripe."""


class CheckoutWire(Wire):
    """Where to pay."""

    checkout_url: str


class PortalWire(Wire):
    """Where to manage the subscription."""

    portal_url: str


class NoticedWire(Wire):
    """The event was taken."""

    received: bool


@billing.add(
    "POST",
    "/v1/billing/checkout",
    body=CheckoutBody,
    query=NoQuery,
    answers={200: CheckoutWire},
    codes=("invalid_plan", "invalid_interval", "stripe_error", "billing_unavailable"),
)
async def start_checkout(call: Call[CheckoutBody, NoQuery]) -> Response:
    """Get the page on which to pay for a plan."""
    plan, interval = call.body.plan, call.body.interval
    if plan not in PAID_PLANS:
        raise ApiError("invalid_plan", f"plan must be one of {', '.join(PAID_PLANS)}")
    if interval not in INTERVALS:
        raise ApiError("invalid_interval", f"interval must be one of {', '.join(INTERVALS)}")
    stripe, customer = _configured(call), await _customer(call)
    wanted = Checkout(
        account_id=call.account_id,
        email=customer.email,
        customer_id=customer.customer_id,
        plan=plan,
        interval=interval,
        return_url=_return_url(call),
    )

    async def work() -> CheckoutWire:
        return CheckoutWire(checkout_url=await _from_stripe(stripe.checkout(wanted)))

    return await once(call, work)


@billing.add(
    "POST",
    "/v1/billing/portal",
    body=NoFields,
    query=NoQuery,
    answers={200: PortalWire},
    codes=("no_stripe_customer", "stripe_error", "billing_unavailable"),
)
async def open_portal(call: Call[NoFields, NoQuery]) -> Response:
    """Get the page on which to manage the subscription."""
    stripe, customer = _configured(call), await _customer(call)
    customer_id = customer.customer_id
    if customer_id is None:
        raise ApiError("no_stripe_customer", "this account has never subscribed")

    async def work() -> PortalWire:
        page = stripe.portal(customer_id, _return_url(call))
        return PortalWire(portal_url=await _from_stripe(page))

    return await once(call, work)


@billing.add(
    "POST",
    "/v1/billing/webhook",
    body=NoticeBody,
    query=NoQuery,
    answers={200: NoticedWire},
    codes=("invalid_token", "billing_unavailable"),
    access=Access.OPEN,
    reads=lambda raw: {"raw": raw},
)
async def receive_notice(call: Call[NoticeBody, NoQuery]) -> Response:
    """Take a signed event of Stripe: what is paid holds at once, what has ended ends."""
    stripe = _configured(call)
    signature = call.request.headers.get("stripe-signature", "")
    try:
        notice = stripe.notice(call.document["raw"], signature)
    except NotStripe as error:
        raise ApiError("invalid_token", "this event was not signed by Stripe") from error
    if notice is not None:
        await _apply(call, notice)
    return answer(NoticedWire(received=True))


async def _apply(call: Call[Any, Any], notice: PlanNotice) -> None:
    plan = notice.plan if notice.plan is not None and notice.plan in PLANS else FREE
    async with call.ports.log.transaction() as unit:
        account_id = notice.account_id
        if account_id is None or not is_uuid(account_id):
            account_id = await account_of_customer(unit.connection, notice.customer_id)
        if account_id is None:
            return
        await unit.lock(CATEGORY, [account_id])
        account = unit.state(CATEGORY, account_id)
        if account is None:
            return
        await note_customer(unit.connection, account_id, notice.customer_id)
        if account.plan != plan:
            meta = Meta(correlation_id=call.meta().correlation_id, actor="stripe")
            unit.record(
                CATEGORY, account_id, account_id, [PlanChanged(at=unit.now, plan=plan)], meta
            )
    # Stripe sends an event again until it was taken, so what fails here is done by the next one.
    allowed = allowance(plan, account.limits).active_cues
    for cue_id in await surplus_cues(call.ports.store, account_id, allowed):
        command = UpdateCue(account_id=account_id, cue_id=cue_id, changes={}, status="paused")
        await call.ask(command, CueAnswer)


def _configured(call: Call[Any, Any]) -> Billing:
    if call.ports.billing is None:
        raise ApiError("billing_unavailable", "this server has no Stripe account")
    return call.ports.billing


async def _from_stripe(page: Awaitable[str]) -> str:
    try:
        return await page
    except BillingFailed as error:
        raise ApiError("stripe_error", str(error)) from error


async def _customer(call: Call[Any, Any]) -> Customer:
    customer = await find_customer(call.ports.store, call.account_id)
    if customer is None:
        raise ApiError("invalid_session", "the account is gone")
    return customer


def _return_url(call: Call[Any, Any]) -> str:
    rules = call.ports.rules
    return f"{(rules.dashboard_url or rules.base_url).rstrip('/')}/billing"
