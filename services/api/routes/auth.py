"""The account: register, me, preferences (contract §2 nr 17-19)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator
from starlette.responses import Response

from libs.events.accounts import allowance
from services.api.adapters.mail import Mail
from services.api.errors import ApiError
from services.api.queries.accounts import Profile, find_profile
from services.api.routes.call import Call
from services.api.routes.deciding import Decided, decide
from services.api.routes.issuing import open_account
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.outgoing import check_urls
from services.api.routes.ports import Unit
from services.api.routes.shapes import Changes, NoBody, NoQuery, Wish
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.addresses import normalised_email
from services.api.rules.timestamps import wire_time
from services.api.tables.identities import change_identity, find_email

auth = Operations("Account")

Email = Annotated[str, AfterValidator(normalised_email)]


class RegisterBody(Wish):
    """Whose account to open."""

    email: Email


class ChangeMeBody(Changes):
    """What to change of the account; an empty or null `alert_webhook_url` clears it."""

    email: Email = ""
    alert_webhook_url: str | None = None
    email_notifications: bool = True


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
    async with ports.log.transaction() as unit:
        opened = await open_account(ports, unit, email, "register", call.meta())
        if opened is None:
            raise _taken()
    return answer(RegisteredWire(api_key=opened.api_key, email=email), 201)


@auth.add("GET", "/v1/auth/me", body=NoBody, query=NoQuery, answers={200: MeWire})
async def get_me(call: Call[NoBody, NoQuery]) -> Response:
    """Get the account, what it has used and what it may use."""
    return answer(_me(await _profile(call)))


@auth.add(
    "PATCH",
    "/v1/auth/me",
    body=ChangeMeBody,
    query=NoQuery,
    answers={200: MeWire},
    codes=("no_fields", "invalid_alert_webhook_url", "duplicate_email"),
)
async def update_me(call: Call[ChangeMeBody, NoQuery]) -> Response:
    """Change the address, where alerts are sent to, and whether failures are mailed."""
    changes = call.body.model_dump(exclude_unset=True)
    if not changes:
        raise ApiError("no_fields", "there is nothing to change")
    if "alert_webhook_url" in changes:
        changes["alert_webhook_url"] = changes["alert_webhook_url"] or None
        url = {"alert_webhook_url": changes["alert_webhook_url"]}
        await check_urls(call.ports, url, "invalid_alert_webhook_url")

    async def change(unit: Unit) -> Decided:
        before = await find_email(unit.connection, call.account_id)
        if not await change_identity(unit.connection, call.account_id, changes):
            raise _taken()
        return Decided(None, mails=_address_mails(call, before, changes.get("email")))

    await decide(call, change)
    return answer(_me(await _profile(call)))


async def _profile(call: Call[Any, Any]) -> Profile:
    profile = await find_profile(call.ports.store, call.account_id)
    if profile is None:
        raise ApiError("invalid_session", "the account is gone")
    return profile


def _me(profile: Profile) -> MeWire:
    plan = allowance(profile.plan, profile.limits)
    return MeWire(
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


def _address_mails(call: Call[Any, Any], old: str | None, new: str | None) -> list[Mail]:
    if old is None or new is None or old == new:
        return []
    facts = {"old": old, "new": new, "base_url": call.ports.rules.base_url}
    return [Mail(to, "address_changed", facts) for to in (old, new)]


def _taken() -> ApiError:
    return ApiError("duplicate_email", "an account with this address exists already")
