"""Sign-in by device code: begin, mail the link, collect (contract §2 nr 30-32)."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from pydantic import AfterValidator
from starlette.responses import Response

from libs.events.accounts import CATEGORY
from libs.runtime.crypto import CannotOpen
from libs.runtime.ids import new_device_code, new_link_token, new_session_token
from services.api.adapters.mail import Mail
from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.guards import within
from services.api.routes.issuing import API_KEY, DEFAULT_LABEL, issue_key
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.ports import Unit
from services.api.routes.shapes import Lenient, NoQuery
from services.api.routes.wire import Wire
from services.api.rules.addresses import normalised_email
from services.api.rules.tokens import token_hash
from services.api.tables.device_codes import (
    LIFE_SECONDS,
    DeviceCode,
    add_code,
    collect,
    find_code,
    lock_code,
    mark_mailed,
)
from services.api.tables.keys import active_keys, default_key_sealed
from services.api.tables.windows import MAILS_FROM_IP, MAILS_TO_ADDRESS, POLLS, Limit

INTERVAL_SECONDS = 2
_CODE = re.compile(r"[A-Za-z0-9_-]{6,128}", re.ASCII)

device_codes = Operations("Sign-in")

Email = Annotated[str, AfterValidator(normalised_email)]


class BeginBody(Lenient):
    """A code of the client's own choice; else the server makes one."""

    device_code: str | None = None


class SubmitEmailBody(Lenient):
    """Whose account the sign-in is for."""

    device_code: str
    email: Email


class PollBody(Lenient):
    """Which sign-in."""

    device_code: str


class DeviceCodeWire(Wire):
    """A sign-in has begun."""

    device_code: str
    verification_url: str
    expires_in: int
    interval: int


class EmailSentWire(Wire):
    """The link is on its way."""

    status: str


class PolledWire(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far the sign-in is; with `approved` come, once, a key or `existing_user`."""

    status: str
    email: str | None = None
    api_key: str | None = None
    session_token: str | None = None
    existing_user: bool = False


@device_codes.add(
    "POST",
    "/v1/auth/device-code",
    body=BeginBody,
    query=NoQuery,
    answers={201: DeviceCodeWire},
    codes=("invalid_device_code", "device_code_exists"),
    access=Access.STRANGERS,
)
async def begin_sign_in(call: Call[BeginBody, NoQuery]) -> Response:
    """Begin a sign-in that a person approves in a browser."""
    code, rules = call.body.device_code, call.ports.rules
    if code is None:
        code = new_device_code()
    elif not _CODE.fullmatch(code):
        raise ApiError("invalid_device_code", "use 6 to 128 letters, digits, - and _")
    begun = Limit("device-code", rules.device_codes_per_hour, 3_600)
    await within(call, begun, call.gate.address(call.request))
    if not await add_code(call.ports.store, code):
        raise ApiError("device_code_exists", "a sign-in with this code is under way")
    return answer(
        DeviceCodeWire(
            device_code=code,
            verification_url=f"{rules.base_url}/auth/device?{urlencode({'code': code})}",
            expires_in=LIFE_SECONDS,
            interval=INTERVAL_SECONDS,
        ),
        201,
    )


@device_codes.add(
    "POST",
    "/v1/auth/device-code/submit-email",
    body=SubmitEmailBody,
    query=NoQuery,
    answers={200: EmailSentWire},
    codes=("device_code_not_found", "device_code_expired", "invalid_status"),
    access=Access.STRANGERS,
)
async def submit_email(call: Call[SubmitEmailBody, NoQuery]) -> Response:
    """Mail the link that approves the sign-in; whether there is an account is not told."""
    code, email, ports = call.body.device_code, call.body.email, call.ports
    await _open_code(call, code)
    await within(call, MAILS_FROM_IP, call.gate.address(call.request))
    await within(call, MAILS_TO_ADDRESS, email)
    token = new_link_token()
    if not await mark_mailed(ports.store, code, email, token_hash(token)):
        raise ApiError("invalid_status", "this sign-in was approved in the meantime")
    query = urlencode({"token": token, "device_code": code})
    link = f"{ports.rules.base_url}/v1/auth/verify?{query}"
    ports.mailer.post(Mail(email, "sign_in", {"code": code, "link": link}))
    return answer(EmailSentWire(status="email_sent"))


@device_codes.add(
    "POST",
    "/v1/auth/device-code/poll",
    body=PollBody,
    query=NoQuery,
    answers={200: PolledWire},
    access=Access.STRANGERS,
)
async def poll_sign_in(call: Call[PollBody, NoQuery]) -> Response:
    """Tell how far the sign-in is; the first poll after the approval gets the key."""
    code = call.body.device_code
    if not _CODE.fullmatch(code):
        return answer(PolledWire(status="expired"))
    await within(call, POLLS, code)
    found = await find_code(call.ports.store, code)
    if found is None or not found.live:
        return answer(PolledWire(status="expired"))
    if found.status != "approved":
        return answer(PolledWire(status=found.status))
    async with call.ports.log.transaction() as unit:
        approved = await lock_code(unit.connection, code)
        if approved is None or approved.status != "approved" or approved.account_id is None:
            return answer(PolledWire(status="claimed"))
        return answer(await _collected(call, unit, approved, approved.account_id))


async def _open_code(call: Call[Any, Any], code: str) -> None:
    found = await find_code(call.ports.store, code) if _CODE.fullmatch(code) else None
    if found is None:
        raise ApiError("device_code_not_found", "no sign-in has this code")
    if not found.live:
        raise ApiError("device_code_expired", "this sign-in has expired; begin again")
    if found.status not in ("pending", "email_sent"):
        raise ApiError("invalid_status", f"this sign-in is {found.status} already")


async def _collected(
    call: Call[PollBody, NoQuery], unit: Unit, approved: DeviceCode, account_id: str
) -> PolledWire:
    await unit.lock(CATEGORY, [account_id])
    session_token = new_session_token()
    await collect(unit.connection, call.body.device_code, token_hash(session_token))
    api_key = await _default_key(call, unit, account_id)
    return PolledWire(
        status="approved",
        email=approved.email,
        api_key=api_key,
        session_token=session_token,
        existing_user=api_key is None,
    )


async def _default_key(call: Call[Any, Any], unit: Unit, account_id: str) -> str | None:
    """The present default key, or a new one where none is active; None when it is not readable."""
    active = await active_keys(unit.connection, account_id)
    if not any(key.is_default for key in active):
        issued = await issue_key(
            call.ports, unit, account_id, DEFAULT_LABEL, "device_login", is_default=True
        )
        unit.record(CATEGORY, account_id, account_id, [issued.event], call.meta())
        return issued.api_key
    sealed = await default_key_sealed(unit.connection, account_id)
    if sealed is None:
        return None
    try:
        return call.ports.keyring.open(account_id, API_KEY, sealed).decode()
    except CannotOpen:
        return None
