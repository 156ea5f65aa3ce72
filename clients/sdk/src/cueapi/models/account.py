"""The account: who it is, its keys, secrets, sessions and plan."""

from __future__ import annotations

from datetime import datetime

from cueapi.models.model import Model


class Registration(Model):
    """A new account, and its key."""

    api_key: str
    email: str


class Me(Model):
    """The account of the key."""

    id: str
    email: str
    plan: str
    active_cues: int
    active_cue_limit: int
    executions_this_month: int
    monthly_execution_limit: int
    rate_limit_per_minute: int
    has_webhook_secret: bool
    api_key_prefix: str | None
    alert_webhook_url: str | None
    email_notifications: bool
    created_at: datetime
    updated_at: datetime


class DefaultKey(Model):
    """The account's default key, in plain text."""

    api_key: str
    key_prefix: str


class RegeneratedKey(Model):
    """The key that took the place of the one that asked."""

    api_key: str
    previous_key_revoked: bool


class ApiKey(Model):
    """An API key, without its secret part."""

    id: str
    prefix: str
    label: str
    is_default: bool
    status: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyList(Model):
    """All keys of the account, newest first."""

    keys: list[ApiKey]


class MintedKey(ApiKey):
    """A new API key: the only answer that ever shows it."""

    api_key: str


class RevokedKey(Model):
    """A key that no longer works."""

    id: str
    revoked_at: datetime


class WebhookSecret(Model):
    """The secret that signs webhooks."""

    webhook_secret: str


class RotatedSecret(Model):
    """A new webhook secret; until `previous_secret_expires_at` the old one signs too."""

    webhook_secret: str
    previous_secret_revoked: bool
    previous_secret_expires_at: datetime | None


class AlertSecret(Model):
    """The secret that signs alerts to the account's alert webhook."""

    alert_webhook_secret: str


class RotatedAlertSecret(AlertSecret):
    """A new alert secret."""

    previous_secret_revoked: bool


class Session(Model):
    """A session token, which is used like a key."""

    session_token: str
    email: str
    expires_at: datetime


class DeviceCode(Model):
    """A sign-in that has begun."""

    device_code: str
    verification_url: str
    expires_in: int
    interval: int


class DeviceCodePoll(Model):
    """How far a sign-in is: pending, email_sent, approved, claimed or expired."""

    status: str
    email: str | None
    api_key: str | None
    session_token: str | None
    existing_user: bool | None


class EmailSent(Model):
    """The sign-in link is on its way."""

    status: str


class ExchangedKey(Model):
    """A key for an MCP client."""

    api_key: str
    user_id: str
    key_id: str
    expires_at: datetime | None


class CheckoutSession(Model):
    """Where to pay for a plan."""

    checkout_url: str


class PortalSession(Model):
    """Where to change what is paid for."""

    portal_url: str
