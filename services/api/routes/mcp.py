"""A key for an MCP client, in exchange for a sign-in (contract §3)."""

from __future__ import annotations

from typing import Annotated, Any

from starlette.responses import Response

from libs.events.accounts import CATEGORY
from libs.runtime.clock import utc_now
from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.issuing import issue_key
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.shapes import NoQuery, Wish, trimmed
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.tokens import (
    InvalidSession,
    SessionExpired,
    SessionToken,
    UnknownToken,
    read_token,
    token_hash,
)
from services.api.tables.device_codes import use_session_token

mcp = Operations("Sign-in")


class ExchangeBody(Wish):
    """A session token, one-time or not, and which client asks."""

    session_token: str
    client_id: str
    label: Annotated[str, trimmed(80)] = "mcp-connection"


class ExchangedWire(Wire):
    """The client's key."""

    api_key: str
    user_id: str
    key_id: str
    expires_at: Timestamp | None


@mcp.add(
    "POST",
    "/v1/auth/mcp-exchange",
    body=ExchangeBody,
    query=NoQuery,
    answers={200: ExchangedWire},
    codes=("not_found", "invalid_token"),
    access=Access.STRANGERS,
)
async def exchange_session(call: Call[ExchangeBody, NoQuery]) -> Response:
    """Give an allowed MCP client a key of its own."""
    body, ports = call.body, call.ports
    if body.client_id not in ports.rules.mcp_clients:
        raise ApiError("not_found", "this server has no such MCP client")
    account_id = await _account_of(call)
    label = f"mcp:{body.client_id}:{body.label}"
    async with ports.log.transaction() as unit:
        await unit.lock(CATEGORY, [account_id])
        if unit.state(CATEGORY, account_id) is None:
            raise _invalid()
        issued = await issue_key(ports, unit, account_id, label, "mcp-exchange", is_default=False)
        unit.record(CATEGORY, account_id, account_id, [issued.event], call.meta())
    return answer(
        ExchangedWire(
            api_key=issued.api_key, user_id=account_id, key_id=issued.stored.id, expires_at=None
        )
    )


async def _account_of(call: Call[ExchangeBody, Any]) -> str:
    sent = call.body.session_token
    used = await use_session_token(call.ports.store, token_hash(sent))
    if used is not None:
        return used
    try:
        session = read_token(sent, call.ports.rules.session_secret, utc_now())
    except (UnknownToken, InvalidSession, SessionExpired) as error:
        raise _invalid() from error
    if not isinstance(session, SessionToken):
        raise _invalid()
    return session.account_id


def _invalid() -> ApiError:
    return ApiError("invalid_token", "this session token is unknown, used or expired")
