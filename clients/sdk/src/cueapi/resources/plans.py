"""The plan: paying for it, and what of it is used (contract §2 nr 37-39)."""

from __future__ import annotations

from cueapi.calls import Call
from cueapi.models.account import CheckoutSession, PortalSession
from cueapi.models.service import Usage
from cueapi.resource import AsyncResource, Resource, operation


class BillingCalls:
    """The calls about paying."""

    @operation
    def checkout(self, plan: str, *, interval: str = "monthly") -> Call[CheckoutSession]:
        """Begin to pay for `pro` or `scale`, `monthly` or `annual`."""
        body = {"plan": plan, "interval": interval}
        return Call("POST", "/v1/billing/checkout", CheckoutSession.from_dict, json=body)

    @operation
    def portal(self) -> Call[PortalSession]:
        """Open the page on which to change or end what is paid for."""
        return Call("POST", "/v1/billing/portal", PortalSession.from_dict, json={})


class BillingResource(BillingCalls, Resource):
    """`client.billing`."""


class AsyncBillingResource(BillingCalls, AsyncResource):
    """`client.billing` of an async client."""


class UsageCalls:
    """The call about what is used up."""

    @operation
    def get(self) -> Call[Usage]:
        """Read what of the plan is used."""
        return Call("GET", "/v1/usage", Usage.from_dict)


class UsageResource(UsageCalls, Resource):
    """`client.usage`."""


class AsyncUsageResource(UsageCalls, AsyncResource):
    """`client.usage` of an async client."""
