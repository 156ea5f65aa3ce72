"""What is told to users' webhooks, through the one checked client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from libs.runtime.clock import unix_now
from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.failures import OutboundError
from libs.runtime.http.signing import canonical_body
from libs.runtime.http.urls import InvalidURL, check_url
from services.alerts.rules.pace import SEND_SECONDS
from services.alerts.rules.request import headers_of


class Webhook(Protocol):
    """The port: posts one thing, never raises for what the receiver does."""

    async def send(
        self, url: str, content: Mapping[str, Any], secrets: tuple[str, ...]
    ) -> str | None:
        """Post it within `SEND_SECONDS`; give what went wrong, or None."""
        ...


class HttpWebhook:
    """The port over HTTP. Redirects are not followed; any 2xx is taken for heard."""

    def __init__(self, client: OutboundClient, policy: EgressPolicy) -> None:
        self._client = client
        self._policy = policy

    async def send(
        self, url: str, content: Mapping[str, Any], secrets: tuple[str, ...]
    ) -> str | None:
        """Sign and post it."""
        headers = headers_of(content, secrets, unix_now())
        try:
            checked = check_url(url, self._policy)
            answer = await self._client.send(
                "POST", checked, headers, canonical_body(content), SEND_SECONDS
            )
        except InvalidURL as error:
            return f"the URL is blocked: {error.reason}"
        except OutboundError as error:
            return error.message
        if 200 <= answer.status < 300:
            return None
        return f"the webhook answered with an error status ({answer.status})"
