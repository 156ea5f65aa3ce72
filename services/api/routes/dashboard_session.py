"""The dashboard's sign-in across reloads: a cookie that scripts cannot read.

The page holds its session token in memory alone. The cookie is sent to this one path, by pages of
this site only, and is worth nothing to the API: all it buys is a new session token.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from libs.runtime.clock import utc_now
from services.api.errors import ApiError
from services.api.queries.accounts import find_profile
from services.api.routes.gate import Gate
from services.api.routes.ports import Ports
from services.api.routes.sessions import SessionWire
from services.api.rules.timestamps import wire_time
from services.api.rules.tokens import SESSION_LENGTH, new_session

COOKIE = "cueapi_session"


def session_routes(path: str, ports: Ports, gate: Gate) -> Sequence[BaseRoute]:
    """Start or resume a session at `path` with POST, end it with DELETE."""
    secure = ports.rules.base_url.startswith("https:")

    async def start(request: Request) -> Response:
        if "authorization" not in request.headers:
            kept = request.cookies.get(COOKIE)
            if kept is None:
                return _private(204)
            request = _with_token(request, kept)
        admission = await gate.admit(request)
        wire = await _session(ports, admission.account_id)
        response = _private(200, msgspec.json.encode(wire))
        response.set_cookie(
            COOKIE,
            wire.session_token,
            max_age=int(SESSION_LENGTH.total_seconds()),
            path=path,
            secure=secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def end(_: Request) -> Response:
        response = _private(204)
        response.delete_cookie(COOKIE, path=path, secure=secure, httponly=True, samesite="strict")
        return response

    return [Route(path, start, methods=["POST"]), Route(path, end, methods=["DELETE"])]


async def _session(ports: Ports, account_id: str) -> SessionWire:
    secret = ports.rules.session_secret
    if not secret:
        raise ApiError("session_unavailable", "this server has no SESSION_SECRET")
    profile = await find_profile(ports.store, account_id)
    if profile is None:
        raise ApiError("invalid_session", "the account is gone")
    session = new_session(account_id, profile.email, secret, utc_now())
    return SessionWire(
        session_token=session.token,
        email=profile.email,
        expires_at=wire_time(session.expires_at),
    )


def _with_token(request: Request, token: str) -> Request:
    headers = MutableHeaders(raw=list(request.scope["headers"]))
    headers["Authorization"] = f"Bearer {token}"
    return Request({**request.scope, "headers": headers.raw}, request.receive)


def _private(status: int, content: bytes = b"") -> Response:
    media_type = "application/json" if content else None
    headers = {"Cache-Control": "no-store"}
    return Response(content, status, headers=headers, media_type=media_type)
