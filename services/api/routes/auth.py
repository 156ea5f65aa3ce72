"""The account: register, me, webhook secret (contract §2 nr 17, 18, 26)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from starlette.responses import Response

from libs.events.accounts import CATEGORY, PLANS, AccountRegistered, ApiKeyIssued
from libs.runtime.ids import new_api_key, new_uuid, new_webhook_secret
from services.api.errors import ApiError
from services.api.queries.accounts import find_profile, find_webhook_secret
from services.api.routes.call import Call
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.shapes import NoBody, NoQuery, Wish
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.addresses import normalised_email
from services.api.rules.timestamps import wire_time
from services.api.rules.tokens import key_hash, key_prefix
from services.api.tables.identities import NewIdentity, NewKey, insert_identity, insert_key

WEBHOOK_SECRET = "webhook-secret"  # noqa: S105 - what it is sealed for, not the secret
API_KEY = "api-key"

auth = Operations("Account")

Email = Annotated[str, AfterValidator(normalised_email)]


class RegisterBody(Wish):
    """Whose account to open."""

    email: Email


class RegisteredWire(Wire):
    """The new account's key; it is shown again only by `GET /v1/auth/key`."""

    api_key: str
    email: str


class MeWire(Wire):
    """The account, what it has used and what it may use."""

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
    created_at: Timestamp
    updated_at: Timestamp


class WebhookSecretWire(Wire):
    """The key of the signatures on webhooks."""

    webhook_secret: str


@auth.add(
    "POST",
    "/v1/auth/register",
    body=RegisterBody,
    query=NoQuery,
    answers={201: RegisteredWire},
    codes=("duplicate_email", "not_found"),
    access=Access.STRANGERS,
)
async def register(call: Call[RegisterBody, NoQuery]) -> Response:
    """Open an account; gives its API key."""
    ports, email = call.ports, call.body.email
    if not ports.rules.allow_register:
        raise ApiError("not_found", "registration is disabled on this server")
    account_id, key_id, api_key = new_uuid(), new_uuid(), new_api_key()
    secret = ports.keyring.seal(account_id, WEBHOOK_SECRET, new_webhook_secret().encode())
    async with ports.log.transaction() as unit:
        identity = NewIdentity(account_id, email, secret)
        if not await insert_identity(unit.connection, identity):
            raise ApiError("duplicate_email", "an account with this address exists already")
        key = NewKey(
            id=key_id,
            account_id=account_id,
            hash=key_hash(api_key),
            prefix=key_prefix(api_key),
            label="default",
            is_default=True,
            created_by="register",
            sealed=ports.keyring.seal(account_id, API_KEY, api_key.encode()),
        )
        await insert_key(unit.connection, key)
        events = [
            AccountRegistered(at=unit.now, account_id=account_id, plan=ports.rules.default_plan),
            ApiKeyIssued(
                at=unit.now,
                key_id=key_id,
                label=key.label,
                created_by=key.created_by,
                is_default=True,
            ),
        ]
        unit.record(CATEGORY, account_id, account_id, events, call.meta())
    return answer(RegisteredWire(api_key=api_key, email=email), 201)


@auth.add("GET", "/v1/auth/me", body=NoBody, query=NoQuery, answers={200: MeWire})
async def get_me(call: Call[NoBody, NoQuery]) -> Response:
    """Get the account, what it has used and what it may use."""
    profile = await find_profile(call.ports.store, call.account_id)
    if profile is None:
        raise ApiError("invalid_session", "the account is gone")
    plan = PLANS[profile.plan]
    return answer(
        MeWire(
            id=profile.account_id,
            email=profile.email,
            plan=plan.name,
            active_cues=profile.active_cues,
            active_cue_limit=plan.active_cues,
            executions_this_month=profile.executions,
            monthly_execution_limit=plan.executions_per_month,
            rate_limit_per_minute=plan.requests_per_minute,
            has_webhook_secret=True,
            api_key_prefix=profile.api_key_prefix,
            alert_webhook_url=profile.alert_webhook_url,
            email_notifications=profile.email_notifications,
            created_at=wire_time(profile.created_at),
            updated_at=wire_time(profile.updated_at),
        )
    )


@auth.add(
    "GET",
    "/v1/auth/webhook-secret",
    body=NoBody,
    query=NoQuery,
    answers={200: WebhookSecretWire},
)
async def get_webhook_secret(call: Call[NoBody, NoQuery]) -> Response:
    """Get the key with which webhooks are signed."""
    sealed = await find_webhook_secret(call.ports.store, call.account_id)
    if sealed is None:
        raise ApiError("invalid_session", "the account is gone")
    secret = call.ports.keyring.open(call.account_id, WEBHOOK_SECRET, sealed)
    return answer(WebhookSecretWire(webhook_secret=secret.decode()))
