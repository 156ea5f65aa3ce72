"""Everything that a call can raise, and which answer raises what.

CueAPIError
├── APIConnectionError          no answer came (also an httpx.TransportError)
│   └── APITimeoutError         not in time (also an httpx.TimeoutException)
├── AuthenticationError         401
├── CueLimitExceededError       403
│   ├── ExecutionLimitExceededError
│   └── NotOwnerError           another worker holds the execution
├── CueNotFoundError            404
│   ├── ExecutionNotFoundError, AlertNotFoundError, WorkerNotFoundError, TicketNotFoundError
├── ConflictError               409
│   ├── ClaimFailedError        taken, or nothing to claim
│   ├── DuplicateNameError
│   └── OutcomeAlreadyRecordedError
├── PreconditionFailedError     412
├── InvalidScheduleError        400, 422
│   └── ValidationError         all of those that are not about the schedule
│       ├── InvalidCallbackURLError
│       └── PayloadTooLargeError
├── RateLimitError              429
└── CueAPIServerError           5xx

The classes of cueapi-sdk 0.1 keep their meaning; finer ones stand below them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx


class CueAPIError(Exception):
    """A call failed. `status_code` and `code` are the answer's, None where none came."""

    def __init__(
        self,
        message: str,
        status_code: int | None = None,
        code: str | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.code = code
        self.body = body

    @property
    def request_id(self) -> str | None:
        """What to tell support about this call."""
        return _text(_error_in(self.body).get("request_id"))

    @property
    def hint(self) -> str | None:
        """What to do next, where the server knows."""
        return _text(_error_in(self.body).get("hint"))

    @property
    def doc_url(self) -> str | None:
        """The page about this code."""
        return _text(_error_in(self.body).get("doc_url"))

    @property
    def details(self) -> list[dict[str, str]]:
        """Which fields are wrong: `{"field": "body.name", "message": "…"}`."""
        details = _error_in(self.body).get("details")
        return details if isinstance(details, list) else []


class APIConnectionError(CueAPIError, httpx.TransportError):
    """The server could not be reached, or the connection broke."""


class APITimeoutError(APIConnectionError, httpx.TimeoutException):
    """The server did not answer in time."""


class AuthenticationError(CueAPIError):
    """The key or session is missing, wrong, rotated, revoked or expired."""


class CueLimitExceededError(CueAPIError):
    """The plan's limit, or a refusal."""


class ExecutionLimitExceededError(CueLimitExceededError):
    """The month's executions are used up."""


class NotOwnerError(CueLimitExceededError):
    """Another worker holds the execution."""


class CueNotFoundError(CueAPIError):
    """There is no such thing in this account."""


class ExecutionNotFoundError(CueNotFoundError):
    """There is no such execution in this account."""


class AlertNotFoundError(CueNotFoundError):
    """There is no such alert in this account."""


class WorkerNotFoundError(CueNotFoundError):
    """There is no such worker in this account."""


class TicketNotFoundError(CueNotFoundError):
    """There is no such ticket in this account."""


class ConflictError(CueAPIError):
    """The state of things does not allow it."""


class ClaimFailedError(ConflictError):
    """The execution is taken or finished, or there is nothing to claim."""


class DuplicateNameError(ConflictError):
    """Another cue has this name."""


class OutcomeAlreadyRecordedError(ConflictError):
    """The execution has an outcome already; the first one stands."""


class PreconditionFailedError(CueAPIError):
    """The cue has changed since it was read (`if_match`)."""


class InvalidScheduleError(CueAPIError):
    """The schedule is wrong."""


class ValidationError(InvalidScheduleError):
    """Something in the request is wrong; `details` tells what."""


class InvalidCallbackURLError(ValidationError):
    """The callback URL is malformed, not https, or points to a private network."""


class PayloadTooLargeError(ValidationError):
    """The payload is larger than 1 MB."""


class RateLimitError(CueAPIError):
    """Too many requests; `retry_after` says in how many seconds to try again."""

    retry_after: int = 0


class CueAPIServerError(CueAPIError):
    """The server failed."""


_BY_CODE: Mapping[str, type[CueAPIError]] = {
    "execution_limit_exceeded": ExecutionLimitExceededError,
    "not_execution_owner": NotOwnerError,
    "execution_not_found": ExecutionNotFoundError,
    "alert_not_found": AlertNotFoundError,
    "worker_not_found": WorkerNotFoundError,
    "ticket_not_found": TicketNotFoundError,
    "claim_failed": ClaimFailedError,
    "duplicate_cue_name": DuplicateNameError,
    "outcome_already_recorded": OutcomeAlreadyRecordedError,
    "invalid_schedule": InvalidScheduleError,
    "invalid_timezone": InvalidScheduleError,
    "invalid_callback_url": InvalidCallbackURLError,
    "invalid_alert_webhook_url": InvalidCallbackURLError,
    "invalid_payload_size": PayloadTooLargeError,
}

_BY_STATUS: Mapping[int, type[CueAPIError]] = {
    400: ValidationError,
    401: AuthenticationError,
    403: CueLimitExceededError,
    404: CueNotFoundError,
    409: ConflictError,
    412: PreconditionFailedError,
    422: ValidationError,
    429: RateLimitError,
}


def error_of(status: int, headers: Mapping[str, str], body: Any) -> CueAPIError:
    """Make the exception for a refusal; the body may be anything that a proxy can think of."""
    error = _error_in(body)
    code = error.get("code")
    message = error.get("message") or f"the server answered {status}"
    made = _class_of(status, code)(str(message), status, code, body)
    if isinstance(made, RateLimitError):
        made.retry_after = retry_after_seconds(headers) or 0
    return made


def refusal(response: httpx.Response) -> CueAPIError:
    """Make the exception for an answer that is none."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    return error_of(response.status_code, response.headers, body)


def unanswered(error: httpx.TransportError) -> APIConnectionError:
    """Make the exception for a request that got no answer."""
    if isinstance(error, httpx.TimeoutException):
        return APITimeoutError(f"no answer in time ({type(error).__name__})")
    return APIConnectionError(f"could not reach the server: {str(error) or type(error).__name__}")


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Read `Retry-After` in whole seconds; None if it is absent or something else."""
    text = headers.get("Retry-After", "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _class_of(status: int, code: Any) -> type[CueAPIError]:
    below = _BY_STATUS.get(status, CueAPIServerError if status >= 500 else CueAPIError)
    finer = _BY_CODE.get(code) if isinstance(code, str) else None
    if finer is None:
        return below
    # A code under an unexpected status must not surprise who catches by status.
    kin = issubclass(finer, below) or issubclass(below, finer)
    return finer if kin else below


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _error_in(body: Any) -> Mapping[str, Any]:
    error = body.get("error", body) if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}
