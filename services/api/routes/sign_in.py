"""The pages of a sign-in: the form for the address, and the link in the mail (contract §2 nr 32).

Opening the link approves nothing, as mail scanners open links; pressing its button does.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from starlette.responses import Response

from libs.runtime.ids import new_device_code, new_session_token
from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.html import page
from services.api.routes.intake import read_form
from services.api.routes.issuing import open_account
from services.api.routes.operation import Access, Operations, Page
from services.api.routes.shapes import Lenient, NoBody, Query
from services.api.rules.tokens import token_hash
from services.api.tables.device_codes import DeviceCode, add_code, approve, find_code, lock_code
from services.api.tables.identities import find_account

MAX_STATE = 1_000

sign_in = Operations("Sign-in")


class DeviceQuery(Query):
    """Which sign-in."""

    code: str = ""


class LinkQuery(Query):
    """What stands in the mailed link."""

    token: str = ""
    device_code: str = ""


class LinkBody(Lenient):
    """The same, from the page's form."""

    token: str = ""
    device_code: str = ""


class MagicLinkQuery(Query):
    """Where to go after the sign-in."""

    return_to: str
    state: str = ""


@sign_in.add(
    "GET",
    "/auth/device",
    body=NoBody,
    query=DeviceQuery,
    answers={200: Page},
    access=Access.OPEN,
)
async def show_device_page(call: Call[NoBody, DeviceQuery]) -> Response:
    """Show the code, and ask for the address that the link is mailed to."""
    return page("device", code=call.query.code)


@sign_in.add(
    "GET",
    "/v1/auth/verify",
    body=NoBody,
    query=LinkQuery,
    answers={200: Page, 400: Page},
    access=Access.OPEN,
)
async def show_link_page(call: Call[NoBody, LinkQuery]) -> Response:
    """Show what the mailed link would approve; nothing is approved yet."""
    token, code = call.query.token, call.query.device_code
    found = await find_code(call.ports.store, code) if code.isprintable() else None
    if found is None or not _opens(found, token):
        return page("refused", 400)
    return page("confirm", code=code, email=found.email, token=token)


@sign_in.add(
    "POST",
    "/v1/auth/verify",
    body=LinkBody,
    query=LinkQuery,
    answers={200: Page, 400: Page},
    access=Access.OPEN,
    reads=read_form,
)
async def approve_sign_in(call: Call[LinkBody, LinkQuery]) -> Response:
    """Approve the sign-in, and open the account if the address is new."""
    token = call.body.token or call.query.token
    code = call.body.device_code or call.query.device_code
    if not code.isprintable():
        return page("refused", 400)
    async with call.ports.log.transaction() as unit:
        found = await lock_code(unit.connection, code)
        if found is None or found.email is None or not _opens(found, token):
            return page("refused", 400)
        account_id = await find_account(unit.connection, found.email)
        if account_id is None:
            opened = await open_account(call.ports, unit, found.email, "device_login", call.meta())
            if opened is None:
                raise ApiError("duplicate_email", "the account was opened meanwhile; try again")
            account_id = opened.account_id
        browser_token = new_session_token()
        await approve(unit.connection, code, account_id, token_hash(browser_token))
    return page("verified", email=found.email, onward=_onward(call, found, browser_token))


@sign_in.add(
    "GET",
    "/auth/magic-link",
    body=NoBody,
    query=MagicLinkQuery,
    answers={200: Page},
    codes=("not_found",),
    access=Access.STRANGERS,
)
async def show_magic_link_page(call: Call[NoBody, MagicLinkQuery]) -> Response:
    """Sign in by mail, and go back to `return_to` with a one-time `session_token`."""
    rules, wanted = call.ports.rules, urlsplit(call.query.return_to)
    if wanted.hostname is None or wanted.hostname not in rules.return_hosts:
        raise ApiError("not_found", "sign-ins do not return there on this server")
    if wanted.scheme != "https" and not rules.egress.allow_insecure:
        raise ApiError("not_found", "sign-ins return to https alone")
    code = new_device_code()
    await add_code(call.ports.store, code, call.query.return_to, call.query.state[:MAX_STATE])
    return page("device", code=code)


def _opens(found: DeviceCode, token: str) -> bool:
    return (
        found.live
        and found.status == "email_sent"
        and found.link_hash is not None
        and hmac.compare_digest(found.link_hash, token_hash(token))
    )


def _onward(call: Call[Any, Any], found: DeviceCode, browser_token: str) -> str | None:
    """Where the browser goes with its one-time token; None when it stays."""
    if found.return_to is not None:
        query = urlencode({"session_token": browser_token, "state": found.return_state or ""})
        return f"{found.return_to}{'&' if '?' in found.return_to else '?'}{query}"
    dashboard = call.ports.rules.dashboard_url
    if not dashboard:
        return None
    told = msgspec.json.encode({"sessionToken": browser_token, "email": found.email})
    return f"{dashboard.rstrip('/')}/login#auth={quote(told.decode(), safe='')}"
