"""Every refusal's code and status, in one table (contract §1), and the envelope they travel in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from starlette.responses import Response

STATUS: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "invalid_json",
            "invalid_schedule",
            "invalid_payload_size",
            "invalid_payload",
            "invalid_callback_url",
            "invalid_alert_webhook_url",
            "metadata_too_large",
            "invalid_filter",
            "conflicting_filters",
            "invalid_status_in",
            "confirmation_required",
            "invalid_device_code",
            "device_code_expired",
            "invalid_status",
            "invalid_plan",
            "invalid_interval",
            "no_stripe_customer",
            "invalid_echo_token",
        ),
        400,
    ),
    **dict.fromkeys(
        (
            "invalid_api_key",
            "key_rotated",
            "key_revoked",
            "session_expired",
            "invalid_session",
            "invalid_token",
        ),
        401,
    ),
    **dict.fromkeys(
        (
            "cue_limit_exceeded",
            "execution_limit_exceeded",
            "not_execution_owner",
            "support_not_eligible",
        ),
        403,
    ),
    **dict.fromkeys(
        (
            "cue_not_found",
            "execution_not_found",
            "alert_not_found",
            "ticket_not_found",
            "worker_not_found",
            "device_code_not_found",
            "not_found",
        ),
        404,
    ),
    "method_not_allowed": 405,
    **dict.fromkeys(
        (
            "outcome_already_recorded",
            "execution_in_flight",
            "execution_not_claiming",
            "claim_failed",
            "no_outcome",
            "invalid_state",
            "duplicate_cue_name",
            "duplicate_email",
            "device_code_exists",
            "idempotency_key_conflict",
            "last_key_protected",
        ),
        409,
    ),
    "plaintext_unavailable": 410,
    "precondition_failed": 412,
    "request_too_large": 413,
    **dict.fromkeys(("invalid_timezone", "validation_error", "no_fields"), 422),
    "rate_limit_exceeded": 429,
    "internal_error": 500,
    "stripe_error": 502,
    **dict.fromkeys(("service_unavailable", "billing_unavailable", "session_unavailable"), 503),
}

_CODE_ON_THE_WIRE: Mapping[str, str] = {"invalid_echo_token": "invalid_token"}
"""One code of the contract has two statuses: so it has two names here."""

_HINTS: Mapping[str, str] = {
    "invalid_api_key": "Send the header Authorization: Bearer cue_sk_...",
    "key_rotated": "This key was replaced; use the new one.",
    "key_revoked": "Use another key of the account, or sign in to make one.",
    "session_expired": "Sign in again.",
    "rate_limit_exceeded": "Wait as long as Retry-After says.",
    "service_unavailable": "Send it again after Retry-After; with an Idempotency-Key this is safe.",
    "outcome_already_recorded": "The first outcome stands; add to it with PATCH .../evidence.",
    "execution_in_flight": "Wait until the execution has ended, then replay it.",
    "claim_failed": "Another worker was first, or nothing is due; ask for claimable executions.",
    "duplicate_cue_name": "Choose another name, or update the cue that has it.",
    "cue_limit_exceeded": "Pause or delete a cue, or upgrade the plan.",
    "execution_limit_exceeded": "Upgrade the plan, or wait for the next calendar month (UTC).",
    "precondition_failed": "Read the cue again and repeat the change on what it is now.",
    "request_too_large": "Keep large data elsewhere and send a link to it.",
    "invalid_payload_size": "Keep large data elsewhere and put a link to it into the payload.",
}

UNAVAILABLE_SECONDS = 5


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
    hint: str | None = None
    details: list[Fault] = []


class Envelope(msgspec.Struct, frozen=True):
    """Every answer that is not 2xx."""

    error: Refusal


def code_on_the_wire(code: str) -> str:
    """The code as clients see it."""
    return _CODE_ON_THE_WIRE.get(code, code)


class ApiError(Exception):
    """A refusal on its way to the client. `code` must be in `STATUS`."""

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


def error_response(error: ApiError, request_id: str) -> Response:
    """Put a refusal into the envelope."""
    envelope = Envelope(
        error=Refusal(
            code=code_on_the_wire(error.code),
            message=_sendable(error.message),
            status=error.status,
            request_id=request_id,
            hint=_HINTS.get(error.code),
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
