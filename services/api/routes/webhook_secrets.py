"""What signs webhooks, and alert webhooks: shown, and rotated (contract §2 nr 26, 27, §3, §16)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from libs.events.accounts import WebhookSecretRotated
from libs.runtime.ids import new_webhook_secret
from services.api.adapters.mail import Mail
from services.api.errors import ApiError
from services.api.queries.accounts import find_webhook_secret
from services.api.routes.call import Call
from services.api.routes.deciding import Decided, decide
from services.api.routes.guards import confirmed
from services.api.routes.issuing import ALERT_SECRET, WEBHOOK_SECRET
from services.api.routes.operation import Operations, answer
from services.api.routes.ports import Unit
from services.api.routes.shapes import INTEGRAL, NoBody, NoFields, NoQuery, Wish
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time_or_none
from services.api.tables.alert_secrets import alert_secret, replace_alert_secret
from services.api.tables.identities import find_email, rotate_webhook_secret

secrets = Operations("Account")


class RotateBody(Wish):
    """For how many hours the old secret signs too."""

    overlap_hours: Annotated[int, Field(ge=0, le=72), INTEGRAL] = 0


class WebhookSecretWire(Wire):
    """The key of the signatures on webhooks."""

    webhook_secret: str


class RotatedSecretWire(Wire):
    """The new key of the signatures on webhooks, and when the old one stops signing beside it."""

    webhook_secret: str
    previous_secret_revoked: bool
    previous_secret_expires_at: Timestamp | None


class AlertSecretWire(Wire):
    """The key of the signatures on alert webhooks."""

    alert_webhook_secret: str


class RotatedAlertSecretWire(Wire):
    """The new key of the signatures on alert webhooks."""

    alert_webhook_secret: str
    previous_secret_revoked: bool


@secrets.add(
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


@secrets.add(
    "POST",
    "/v1/auth/webhook-secret/regenerate",
    body=RotateBody,
    query=NoQuery,
    answers={200: RotatedSecretWire},
    codes=("confirmation_required",),
)
async def regenerate_webhook_secret(call: Call[RotateBody, NoQuery]) -> Response:
    """Sign webhooks with a new key from now on, and with the old one too for `overlap_hours`."""
    confirmed(call)
    secret, ports = new_webhook_secret(), call.ports

    async def rotate(unit: Unit) -> Decided:
        sealed = ports.keyring.seal(call.account_id, WEBHOOK_SECRET, secret.encode())
        expires_at = await rotate_webhook_secret(
            unit.connection, call.account_id, sealed, call.body.overlap_hours
        )
        until = wire_time_or_none(expires_at)
        return Decided(
            RotatedSecretWire(
                webhook_secret=secret,
                previous_secret_revoked=until is None,
                previous_secret_expires_at=until,
            ),
            events=[WebhookSecretRotated(at=unit.now)],
            mails=[await _rotated(call, unit, "webhook secret", until)],
        )

    return await decide(call, rotate)


@secrets.add(
    "GET",
    "/v1/auth/alert-webhook-secret",
    body=NoBody,
    query=NoQuery,
    answers={200: AlertSecretWire},
)
async def get_alert_webhook_secret(call: Call[NoBody, NoQuery]) -> Response:
    """Get the key with which alert webhooks are signed; it is made when it is first read."""
    fresh = _sealed_alert_secret(call, _new_alert_secret())
    async with call.ports.log.transaction() as unit:
        sealed = await alert_secret(unit.connection, call.account_id, fresh)
    secret = call.ports.keyring.open(call.account_id, ALERT_SECRET, sealed)
    return answer(AlertSecretWire(alert_webhook_secret=secret.decode()))


@secrets.add(
    "POST",
    "/v1/auth/alert-webhook-secret/regenerate",
    body=NoFields,
    query=NoQuery,
    answers={200: RotatedAlertSecretWire},
    codes=("confirmation_required",),
)
async def regenerate_alert_webhook_secret(call: Call[NoFields, NoQuery]) -> Response:
    """Sign alert webhooks with a new key from now on."""
    confirmed(call)
    secret = _new_alert_secret()

    async def rotate(unit: Unit) -> Decided:
        sealed = _sealed_alert_secret(call, secret)
        await replace_alert_secret(unit.connection, call.account_id, sealed)
        return Decided(
            RotatedAlertSecretWire(alert_webhook_secret=secret, previous_secret_revoked=True),
            mails=[await _rotated(call, unit, "alert webhook secret", None)],
        )

    return await decide(call, rotate)


def _new_alert_secret() -> str:
    # 64 hex digits; the prefix belongs to the other kind (contract §3).
    return new_webhook_secret().removeprefix("whsec_")


def _sealed_alert_secret(call: Call[Any, Any], secret: str) -> bytes:
    return call.ports.keyring.seal(call.account_id, ALERT_SECRET, secret.encode())


async def _rotated(call: Call[Any, Any], unit: Unit, which: str, until: str | None) -> Mail:
    to = await find_email(unit.connection, call.account_id)
    assert to is not None, "the account is locked"
    facts = {"which": which, "until": until, "base_url": call.ports.rules.base_url}
    return Mail(to, "webhook_secret_rotated", facts)
