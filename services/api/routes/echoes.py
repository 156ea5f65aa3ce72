"""An echo for the CLI's quickstart: a callback whose deliveries can be read (contract §3)."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.guards import within
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.shapes import Lenient, NoBody, NoQuery
from services.api.routes.wire import AnyObject, Timestamp, Wire
from services.api.rules.json_text import FaultyText, compact
from services.api.rules.timestamps import wire_time
from services.api.tables.echoes import find_echo, keep_echo
from services.api.tables.windows import ECHOES

MAX_BYTES = 1_048_576
MIN_TOKEN = 16
MAX_TOKEN = 255

echoes = Operations("Echo")


class EchoBody(Lenient):
    """Any object."""


class StoredWire(Wire):
    """What was sent is kept for five minutes."""

    stored: bool


class EchoWire(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was sent, or that nothing was yet."""

    status: str
    payload: AnyObject | msgspec.UnsetType = msgspec.UNSET
    headers: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    received_at: Timestamp | msgspec.UnsetType = msgspec.UNSET


@echoes.add(
    "POST",
    "/v1/echo/{token}",
    body=EchoBody,
    query=NoQuery,
    answers={200: StoredWire},
    codes=("invalid_echo_token",),
    access=Access.STRANGERS,
)
async def store_echo(call: Call[EchoBody, NoQuery]) -> Response:
    """Keep what is sent, for five minutes; the last one wins."""
    token = _token(call)
    try:
        body = compact(call.document)
    except FaultyText as error:
        raise ApiError("invalid_json", str(error)) from error
    if len(body) > MAX_BYTES:
        raise ApiError("request_too_large", f"at most {MAX_BYTES} bytes are kept")
    await within(call, ECHOES, call.gate.address(call.request))
    await keep_echo(call.ports.store, token, body, _headers(call.request))
    return answer(StoredWire(stored=True))


@echoes.add(
    "GET",
    "/v1/echo/{token}",
    body=NoBody,
    query=NoQuery,
    answers={200: EchoWire},
    codes=("invalid_echo_token",),
)
async def get_echo(call: Call[NoBody, NoQuery]) -> Response:
    """Get what was sent last."""
    found = await find_echo(call.ports.store, _token(call))
    if found is None:
        return answer(EchoWire(status="waiting"))
    return answer(
        EchoWire(
            status="delivered",
            payload=msgspec.Raw(found.body),
            headers=found.headers,
            received_at=wire_time(found.received_at),
        )
    )


def _token(call: Call[Any, Any]) -> str:
    token = call.path("token")
    if not MIN_TOKEN <= len(token) <= MAX_TOKEN or not token.isprintable():
        message = f"use {MIN_TOKEN} to {MAX_TOKEN} printable characters"
        raise ApiError("invalid_echo_token", message)
    return token


def _headers(request: Request) -> dict[str, str]:
    return {
        "-".join(part.capitalize() for part in name.split("-")).replace("Cueapi", "CueAPI"): value
        for name, value in request.headers.items()
        if name in ("content-type", "user-agent") or name.startswith("x-cueapi-")
    }
