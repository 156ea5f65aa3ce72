"""Sessions for browsers: JWTs of 24 hours (contract §2 nr 28, 29)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from libs.runtime.clock import utc_now
from services.api.errors import ApiError
from services.api.queries.accounts import find_profile
from services.api.routes.call import Call
from services.api.routes.deciding import once
from services.api.routes.operation import TOKEN_CODES, Access, Operations, answer
from services.api.routes.shapes import Lenient, NoQuery
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time
from services.api.rules.tokens import new_session, token_hash
from services.api.tables.device_codes import use_session_token

sessions = Operations("Account")


class SessionBody(Lenient):
    """A one-time session token; without it the Bearer token counts."""

    token: str | None = None


class SessionWire(Wire):
    """A session."""

    session_token: str
    email: str
    expires_at: Timestamp


@sessions.add(
    "POST",
    "/v1/auth/session",
    body=SessionBody,
    query=NoQuery,
    answers={200: SessionWire},
    codes=(
        *TOKEN_CODES,
        "invalid_token",
        "session_unavailable",
        "rate_limit_exceeded",
        "idempotency_key_conflict",
    ),
    access=Access.OPEN,
)
async def start_session(call: Call[SessionBody, NoQuery]) -> Response:
    """Start a session, for a one-time token or for a key.

    An `Idempotency-Key` counts with a key alone: a one-time token serves once by itself.
    """
    if call.body.token is None:
        admitted = replace(call, admission=await call.gate.admit(call.request))
        return await once(admitted, lambda: _session(admitted, admitted.account_id))
    call.gate.admit_stranger(call.request)
    _configured(call)
    account_id = await use_session_token(call.ports.store, token_hash(call.body.token))
    if account_id is None:
        raise ApiError("invalid_token", "this sign-in token is unknown, used or expired")
    return answer(await _session(call, account_id))


@sessions.add(
    "POST",
    "/v1/auth/session/refresh",
    body=SessionBody,
    query=NoQuery,
    answers={200: SessionWire},
    codes=("session_unavailable",),
)
async def refresh_session(call: Call[SessionBody, NoQuery]) -> Response:
    """Start a new session from one that is still valid, or from a key."""
    return await once(call, lambda: _session(call, call.account_id))


def _configured(call: Call[Any, Any]) -> None:
    if not call.ports.rules.session_secret:
        raise ApiError("session_unavailable", "this server has no SESSION_SECRET")


async def _session(call: Call[Any, Any], account_id: str) -> SessionWire:
    _configured(call)
    profile = await find_profile(call.ports.store, account_id)
    if profile is None:
        raise ApiError("invalid_session", "the account is gone")
    session = new_session(account_id, profile.email, call.ports.rules.session_secret, utc_now())
    return SessionWire(
        session_token=session.token,
        email=profile.email,
        expires_at=wire_time(session.expires_at),
    )
