"""The account itself (contract §2 nr 17-19)."""

from __future__ import annotations

from cueapi.calls import Call
from cueapi.models.account import Me, Registration
from cueapi.resource import AsyncResource, Resource, operation
from cueapi.values import NOT_GIVEN, NotGiven, given


class AccountCalls:
    """The calls about the account itself."""

    @operation
    def register(self, email: str) -> Call[Registration]:
        """Open an account. Needs no key; gives the new account's."""
        body = {"email": email}
        return Call("POST", "/v1/auth/register", Registration.from_dict, json=body)

    @operation
    def me(self) -> Call[Me]:
        """Read the account of the key."""
        return Call("GET", "/v1/auth/me", Me.from_dict)

    @operation
    def update(
        self,
        *,
        email: str | NotGiven = NOT_GIVEN,
        alert_webhook_url: str | NotGiven | None = NOT_GIVEN,
        email_notifications: bool | NotGiven = NOT_GIVEN,
    ) -> Call[Me]:
        """Change what is given; `alert_webhook_url=None` clears it."""
        body = given(
            email=email,
            alert_webhook_url=alert_webhook_url,
            email_notifications=email_notifications,
        )
        return Call("PATCH", "/v1/auth/me", Me.from_dict, json=body)


class AccountResource(AccountCalls, Resource):
    """`client.account`."""


class AsyncAccountResource(AccountCalls, AsyncResource):
    """`client.account` of an async client."""
