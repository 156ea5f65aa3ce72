"""Stripe: pages on which plans are bought and managed, and its signed notices."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import aiohttp
import stripe

STRIPE_SECONDS = 15.0
_PAID = ("active", "trialing", "past_due")

T = TypeVar("T")

Price = tuple[str, str]
"""A plan and an interval: `monthly` or `annual`."""


class BillingFailed(Exception):
    """Stripe refused, or did not answer in time."""


class NotStripe(Exception):
    """A notice that Stripe has not signed."""


class Checkout(NamedTuple):
    """Who buys what, and where the browser returns to; `customer_id` None for a new customer."""

    account_id: str
    email: str
    customer_id: str | None
    plan: str
    interval: str
    return_url: str


class PlanNotice(NamedTuple):
    """That an account is on a plan from now on, or is no more (`plan` None).

    `account_id` None when only the customer is known.
    """

    account_id: str | None
    customer_id: str
    plan: str | None


class Billing(Protocol):
    """The port."""

    async def checkout(self, wanted: Checkout) -> str:
        """Give the URL of a page on which to pay. Raises BillingFailed."""
        ...

    async def portal(self, customer_id: str, return_url: str) -> str:
        """Give the URL of a page on which to manage the subscription. Raises BillingFailed."""
        ...

    def notice(self, body: bytes, signature: str) -> PlanNotice | None:
        """Read a notice; None when it changes no plan. Raises NotStripe."""
        ...


class StripeBilling:
    """The port on Stripe. `prices` gives the price id of each plan and interval."""

    def __init__(
        self,
        secret_key: str,
        webhook_secret: str,
        prices: Mapping[Price, str],
        api_base: str = "https://api.stripe.com",
    ) -> None:
        self._webhook_secret = webhook_secret
        self._prices = prices
        self._plans = {price: plan for (plan, _), price in prices.items()}
        self._http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=STRIPE_SECONDS))
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base},
            max_network_retries=1,
            http_client=self._http,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def checkout(self, wanted: Checkout) -> str:
        """Give the URL of a page on which to pay. Raises BillingFailed."""
        price = self._prices.get((wanted.plan, wanted.interval))
        if price is None:
            raise BillingFailed(f"no price is configured for {wanted.plan} {wanted.interval}")
        about = {"account_id": wanted.account_id, "plan": wanted.plan}
        params: stripe.params.checkout.SessionCreateParams = {
            "mode": "subscription",
            "line_items": [{"price": price, "quantity": 1}],
            "client_reference_id": wanted.account_id,
            "metadata": about,
            "subscription_data": {"metadata": about},
            "success_url": wanted.return_url,
            "cancel_url": wanted.return_url,
        }
        if wanted.customer_id:
            params["customer"] = wanted.customer_id
        else:
            params["customer_email"] = wanted.email
        session = await _in_time(self._client.v1.checkout.sessions.create_async(params))
        if session.url is None:
            raise BillingFailed("Stripe gave no page")
        return session.url

    async def portal(self, customer_id: str, return_url: str) -> str:
        """Give the URL of a page on which to manage the subscription. Raises BillingFailed."""
        session = await _in_time(
            self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": return_url}
            )
        )
        return session.url

    def notice(self, body: bytes, signature: str) -> PlanNotice | None:
        """Read a notice; None when it changes no plan. Raises NotStripe."""
        try:
            event = self._client.construct_event(body, signature, self._webhook_secret)
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise NotStripe(str(error)) from error
        thing = event.to_dict()["data"]["object"]
        match event.type:
            case "checkout.session.completed":
                about = thing.get("metadata") or {}
                return _notice(thing, thing.get("client_reference_id"), about.get("plan"))
            case "customer.subscription.created" | "customer.subscription.updated":
                plan = self._plan_of(thing) if thing.get("status") in _PAID else None
                return _notice(thing, _account_of(thing), plan)
            case "customer.subscription.deleted":
                return _notice(thing, _account_of(thing), None)
            case _:
                return None

    def _plan_of(self, subscription: Mapping[str, Any]) -> str | None:
        for item in (subscription.get("items") or {}).get("data", []):
            if plan := self._plans.get(item.get("price", {}).get("id")):
                return plan
        return None


def _account_of(thing: Mapping[str, Any]) -> str | None:
    account_id = (thing.get("metadata") or {}).get("account_id")
    return account_id if isinstance(account_id, str) else None


def _notice(
    thing: Mapping[str, Any], account_id: str | None, plan: str | None
) -> PlanNotice | None:
    customer_id = thing.get("customer")
    return PlanNotice(account_id, customer_id, plan) if isinstance(customer_id, str) else None


async def _in_time(asking: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(STRIPE_SECONDS):
            return await asking
    except stripe.StripeError as error:
        raise BillingFailed(error.user_message or type(error).__name__) from error
    except TimeoutError as error:
        raise BillingFailed("Stripe did not answer in time") from error
