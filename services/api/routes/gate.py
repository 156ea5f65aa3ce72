"""Who may come in: token, account and rate limit, before anything of the request is read further.

Contract §1 "Auth" and "Order of checks", §10 "Rate".
"""

from __future__ import annotations

from typing import NoReturn

from starlette.requests import Request

from libs.events.accounts import allowance
from libs.runtime.clock import monotonic, unix_now, utc_now
from services.api.errors import ApiError
from services.api.routes.ports import Ports
from services.api.routes.windows import SlidingWindows, whole_seconds
from services.api.rules.addresses import client_address
from services.api.rules.limits import ANONYMOUS_REQUESTS_PER_MINUTE, usage_warning
from services.api.rules.tokens import (
    InvalidSession,
    KeyToken,
    SessionExpired,
    SessionToken,
    UnknownToken,
    bearer,
    read_token,
)
from services.api.tables.admission import Admission, admit

ANSWER_HEADERS = "cueapi.answer_headers"


def add_header(request: Request, name: str, value: str) -> None:
    """Put a header on the answer to this request, once, whatever the answer will be."""
    header = (name.lower().encode(), value.encode())
    if header not in request.scope[ANSWER_HEADERS]:
        request.scope[ANSWER_HEADERS].append(header)


class Gate:
    """Lets requests in, or refuses them with 401 or 429."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._strangers = SlidingWindows(ANONYMOUS_REQUESTS_PER_MINUTE)

    async def admit(self, request: Request) -> Admission:
        """Let the owner of the token in. Raises ApiError."""
        rules = self._ports.rules
        try:
            token = read_token(
                bearer(request.headers.get("authorization", "")), rules.session_secret, utc_now()
            )
        except UnknownToken as error:
            self._turn_away(request, "invalid_api_key", error)
        except InvalidSession as error:
            self._turn_away(request, "invalid_session", error)
        except SessionExpired as error:
            self._turn_away(request, "session_expired", error)
        admission = await admit(self._ports.store, token, limited=rules.enforce_quotas)
        admission = self._known(request, token, admission)
        if rules.enforce_quotas:
            _tell_limits(request, admission)
        return admission

    def admit_stranger(self, request: Request) -> None:
        """Let a request without a token in; limited by the client's address. Raises ApiError."""
        if not self._ports.rules.enforce_quotas:
            return
        verdict = self._strangers.count(self.address(request), monotonic())
        _rate_headers(
            request, self._strangers.limit, verdict.used, unix_now() + round(verdict.resets_in)
        )
        if not verdict.counted:
            raise _too_many(self._strangers.limit, verdict.resets_in)

    def address(self, request: Request) -> str:
        """The client's address, seen through trusted proxies."""
        peer = request.client.host if request.client else ""
        forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
        return client_address(peer, forwarded, self._ports.rules.trusted_proxies)

    def _known(
        self, request: Request, token: KeyToken | SessionToken, admission: Admission | None
    ) -> Admission:
        if admission is None and isinstance(token, SessionToken):
            self._turn_away(request, "invalid_session", InvalidSession("the account is gone"))
        if admission is None:
            self._turn_away(request, "invalid_api_key", UnknownToken("no account has this key"))
        if admission.status != "active":
            rotated = admission.revoked_reason == "rotated"
            code = "key_rotated" if rotated else "key_revoked"
            self._turn_away(request, code, UnknownToken("this key is not valid any more"))
        return admission

    def _turn_away(self, request: Request, code: str, why: Exception) -> NoReturn:
        self.admit_stranger(request)
        raise ApiError(code, str(why)) from why


def _tell_limits(request: Request, admission: Admission) -> None:
    plan = allowance(admission.plan, admission.limits)
    limit = plan.requests_per_minute
    used = admission.used if admission.counted else limit
    _rate_headers(request, limit, used, int(admission.resets_at.timestamp()))
    if not admission.counted:
        raise _too_many(limit, (admission.resets_at - utc_now()).total_seconds())
    if warning := usage_warning(plan, admission.executions):
        add_header(request, "X-CueAPI-Usage-Warning", warning)


def _rate_headers(request: Request, limit: int, used: int, resets_at: int) -> None:
    add_header(request, "X-RateLimit-Limit", str(limit))
    add_header(request, "X-RateLimit-Remaining", str(max(0, limit - used)))
    add_header(request, "X-RateLimit-Reset", str(resets_at))


def _too_many(limit: int, resets_in: float) -> ApiError:
    return ApiError(
        "rate_limit_exceeded",
        f"more than {limit} requests in 60 seconds",
        headers={"Retry-After": str(whole_seconds(resets_in))},
    )
