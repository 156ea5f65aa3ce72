"""Reading a request in the order of contract §1: size, then who, then JSON, then shape."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from services.api.errors import ApiError, Detail, ShapeError
from services.api.routes.shapes import Body, NoBody, Query, checked
from services.api.rules.json_text import InvalidJson, faulty_paths, may_hold_faulty_text, parse

MAX_BODY_BYTES = 2_097_152
BODY_SECONDS = 60

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,256}")
_MAX_WORKER_ID = 255

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)


async def read_body(request: Request, too_large: str) -> bytes:
    """Read the body, at most 2 MiB of it. Raises ApiError with the code `too_large`."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        raise _oversize(too_large)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise _oversize(too_large)
    except TimeoutError as error:
        message = f"the request body did not arrive within {BODY_SECONDS} seconds"
        raise ApiError("invalid_json", message) from error
    return bytes(body)


def _oversize(code: str) -> ApiError:
    return ApiError(code, f"the request body is larger than {MAX_BODY_BYTES} bytes")


def read_json(raw: bytes) -> Any:
    """Parse a body, whatever its content type says. Raises ApiError."""
    try:
        return parse(raw)
    except InvalidJson as error:
        raise ApiError("invalid_json", str(error)) from error


def read_form(raw: bytes) -> Any:
    """Parse what an HTML form sends; JSON is read too. Of a repeated field the last one counts."""
    if raw.lstrip().startswith(b"{"):
        return read_json(raw)
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


def shaped(
    request: Request, raw: bytes, document: Any, body: type[B], query: type[Q]
) -> tuple[B, Q]:
    """Validate body, query and headers, and tell all faults at once. Raises ShapeError."""
    sent = dict(request.query_params)
    parsed_body = checked(body, {} if body is NoBody else document, "body")
    parsed_query = checked(query, sent, "query")
    faults = [*_text_faults(raw, document, body.free, sent), *_header_faults(request)]
    if isinstance(parsed_body, list) or isinstance(parsed_query, list) or faults:
        for outcome in (parsed_query, parsed_body):
            faults = [*outcome, *faults] if isinstance(outcome, list) else faults
        raise ShapeError(faults)
    return parsed_body, parsed_query


def _text_faults(
    raw: bytes, document: Any, free: frozenset[str], query: Mapping[str, str]
) -> list[Detail]:
    bad = "text must not contain U+0000 or unpaired surrogates"
    in_query = [Detail(f"query.{name}", bad) for name, value in query.items() if "\0" in value]
    if not may_hold_faulty_text(raw):
        return in_query
    return [*in_query, *(Detail(f"body{path}", bad) for path in faulty_paths(document, free))]


def _header_faults(request: Request) -> list[Detail]:
    faults = []
    key = request.headers.get("idempotency-key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        message = "must be 1 to 256 visible ASCII characters"
        faults.append(Detail("header.Idempotency-Key", message))
    if len(worker_header(request) or "") > _MAX_WORKER_ID:
        faults.append(Detail("header.X-Worker-Id", f"at most {_MAX_WORKER_ID} characters"))
    return faults


def worker_header(request: Request) -> str | None:
    """The `X-Worker-Id` header; sent as UTF-8, or else as Latin-1. Empty is absent."""
    sent = request.headers.get("x-worker-id")
    if not sent:
        return None
    try:
        return sent.encode("latin-1").decode()
    except UnicodeDecodeError:
        return sent


def fingerprint(document: Any) -> str:
    """A hash of what was asked, the same for the same JSON however it is spaced and ordered."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
