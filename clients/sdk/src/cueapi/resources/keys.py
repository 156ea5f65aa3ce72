"""API keys, and the secrets that sign webhooks (contract §2 nr 20-27, §3)."""

from __future__ import annotations

from cueapi.calls import Call
from cueapi.models.account import (
    AlertSecret,
    ApiKey,
    ApiKeyList,
    DefaultKey,
    MintedKey,
    RegeneratedKey,
    RevokedKey,
    RotatedAlertSecret,
    RotatedSecret,
    WebhookSecret,
)
from cueapi.resource import AsyncResource, Resource, operation
from cueapi.values import present, segment

_CONFIRMED = {"X-Confirm-Destructive": "true"}


class KeyCalls:
    """The calls about API keys."""

    @operation
    def default(self) -> Call[DefaultKey]:
        """Show the account's default key in plain text."""
        return Call("GET", "/v1/auth/key", DefaultKey.from_dict)

    @operation
    def regenerate(self) -> Call[RegeneratedKey]:
        """Replace the key that this call uses; the old one stops working at once."""
        path = "/v1/auth/key/regenerate"
        return Call("POST", path, RegeneratedKey.from_dict, json={}, headers=_CONFIRMED)

    @operation
    def list(self) -> Call[ApiKeyList]:
        """List all keys, newest first."""
        return Call("GET", "/v1/auth/keys", ApiKeyList.from_dict)

    @operation
    def create(self, label: str) -> Call[MintedKey]:
        """Make a key; only this answer shows it."""
        return Call("POST", "/v1/auth/keys", MintedKey.from_dict, json={"label": label})

    @operation
    def rename(self, key_id: str, label: str) -> Call[ApiKey]:
        """Give a key another label."""
        path = f"/v1/auth/keys/{segment(key_id)}"
        return Call("PATCH", path, ApiKey.from_dict, json={"label": label})

    @operation
    def revoke(self, key_id: str) -> Call[RevokedKey]:
        """Stop a key from working, for good."""
        path = f"/v1/auth/keys/{segment(key_id)}"
        return Call("DELETE", path, RevokedKey.from_dict, headers=_CONFIRMED)


class KeysResource(KeyCalls, Resource):
    """`client.keys`."""


class AsyncKeysResource(KeyCalls, AsyncResource):
    """`client.keys` of an async client."""


class WebhookSecretCalls:
    """The calls about the secret that signs webhooks."""

    @operation
    def get(self) -> Call[WebhookSecret]:
        """Read the secret."""
        return Call("GET", "/v1/auth/webhook-secret", WebhookSecret.from_dict)

    @operation
    def regenerate(self, *, overlap_hours: int | None = None) -> Call[RotatedSecret]:
        """Replace the secret; for `overlap_hours` (0 to 72) the old one signs too."""
        path, body = "/v1/auth/webhook-secret/regenerate", present(overlap_hours=overlap_hours)
        return Call("POST", path, RotatedSecret.from_dict, json=body, headers=_CONFIRMED)


class WebhookSecretResource(WebhookSecretCalls, Resource):
    """`client.webhook_secret`."""


class AsyncWebhookSecretResource(WebhookSecretCalls, AsyncResource):
    """`client.webhook_secret` of an async client."""


class AlertSecretCalls:
    """The calls about the secret that signs alerts."""

    @operation
    def get(self) -> Call[AlertSecret]:
        """Read the secret."""
        return Call("GET", "/v1/auth/alert-webhook-secret", AlertSecret.from_dict)

    @operation
    def regenerate(self) -> Call[RotatedAlertSecret]:
        """Replace the secret at once."""
        path = "/v1/auth/alert-webhook-secret/regenerate"
        return Call("POST", path, RotatedAlertSecret.from_dict, json={}, headers=_CONFIRMED)


class AlertSecretResource(AlertSecretCalls, Resource):
    """`client.alert_webhook_secret`."""


class AsyncAlertSecretResource(AlertSecretCalls, AsyncResource):
    """`client.alert_webhook_secret` of an async client."""
