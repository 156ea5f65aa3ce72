"""Refusals on their way to the client, and the envelope they travel in (contract §1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from services.api.codes import CODES, code_on_the_wire

STATUS: Mapping[str, int] = {name: code.status for name, code in CODES.items()}

UNAVAILABLE_SECONDS = 5
REQUEST_ID = "cueapi.request_id"
TRACE_PARENT = "cueapi.traceparent"
ERROR_PAGE = "cueapi.error_page"
"""Where in a request's scope its id and traceparent are, and the address of the page of codes."""


class Detail(NamedTuple):
    """One fault in what was sent: `field` is `body.`, `query.` or `header.` and a dotted path."""

    field: str
    message: str


class Fault(msgspec.Struct, frozen=True):
    """A `Detail` on the wire."""

    field: str
    message: str


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is inside the envelope. `code` and `status` are stable, `message` is for people."""

    code: str
    message: str
    status: int
    request_id: str
    trace_id: str
    hint: str
    doc_url: str
    details: list[Fault] = []


class Envelope(msgspec.Struct, frozen=True):
    """Every answer that is not 2xx."""

    error: Refusal


class ApiError(Exception):
    """A refusal on its way to the client. `code` must be in `CODES`."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return STATUS[self.code]


class ShapeError(ApiError):
    """What was sent has the wrong shape: every fault is told at once."""

    def __init__(self, details: Sequence[Detail]) -> None:
        first = details[0]
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        super().__init__(
            "validation_error", f"{first.field}: {first.message}{more}", details=details
        )


def unavailable(what: str) -> ApiError:
    """A dependency does not answer now; the same request may be sent again."""
    return ApiError(
        "service_unavailable",
        f"{what} is not available right now",
        headers={"Retry-After": str(UNAVAILABLE_SECONDS)},
    )


def broken() -> ApiError:
    """Something that we have not foreseen went wrong."""
    return ApiError("internal_error", "something went wrong on our side")


def error_response(error: ApiError, request: HTTPConnection) -> Response:
    """Put a refusal into the envelope."""
    code = code_on_the_wire(error.code)
    envelope = Envelope(
        error=Refusal(
            code=code,
            message=_sendable(error.message),
            status=error.status,
            request_id=request.scope[REQUEST_ID],
            trace_id=request.scope[TRACE_PARENT].split("-")[1],
            hint=CODES[error.code].hint,
            doc_url=f"{request.scope[ERROR_PAGE]}#{code}",
            details=[
                Fault(field=_sendable(detail.field), message=_sendable(detail.message))
                for detail in error.details[:_MAX_DETAILS]
            ],
        )
    )
    return Response(
        msgspec.json.encode(envelope),
        status_code=error.status,
        headers=dict(error.headers),
        media_type="application/json",
    )


_MAX_DETAILS = 50
_MAX_TEXT = 500


def _sendable(text: str) -> str:
    # Messages and paths quote what was sent: any length, any code point.
    return text[:_MAX_TEXT].encode("utf-8", "replace").decode()
