"""Testing a cue's callback: one signed request now, and what came of it (contract §16)."""

from __future__ import annotations

from starlette.responses import Response

from libs.events.answers import DeliveryTestAnswer, RequestMade, ResponseGot
from libs.events.bus import Refused
from libs.events.execution_commands import SendTestDelivery
from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.deciding import once
from services.api.routes.finding import cue_id_of
from services.api.routes.operation import Operations
from services.api.routes.shapes import NoFields, NoQuery
from services.api.routes.wire import Wire

# The dispatcher gives a receiver 30 seconds at most.
CALL_SECONDS = 35.0
BUSY_SECONDS = 5

tests = Operations("Cues")


class TestRequestWire(Wire):
    """The request as it was sent; `***` stands for the values of the cue's own headers.

    `body` is its first 64 KiB; `body_truncated` says that there is more.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: str
    body_truncated: bool


class TestResponseWire(Wire):
    """What the callback answered; `body` is its first 64 KiB."""

    status: int
    headers: dict[str, str]
    body: str
    body_truncated: bool


class DeliveryTestWire(Wire):
    """A test delivery; `result` is `delivered` or `failed`, as for an attempt.

    `error` is a class, `error_message` is for people; `response` is null when none came.
    """

    cue_id: str
    result: str
    duration_ms: int
    error: str | None
    error_message: str | None
    request: TestRequestWire
    response: TestResponseWire | None


@tests.add(
    "POST",
    "/v1/cues/{cue_id}/test",
    body=NoFields,
    query=NoQuery,
    answers={200: DeliveryTestWire},
    codes=("cue_not_found", "invalid_state"),
)
async def send_test_delivery(call: Call[NoFields, NoQuery]) -> Response:
    """Send one signed request to the cue's callback now, and tell what was sent and answered.

    It carries `X-CueAPI-Test: true`, makes no execution and counts against nothing but the rate
    limit. It is given the cue's `delivery.timeout_seconds`, at most 30. What fails a delivery
    fails the test: the answer is 200, `result` is `failed`, and `error` is `blocked`, `connect`,
    `tls`, `timeout`, `protocol` or `status`. Works in every status of the cue; a cue for workers
    has no callback: 409 `invalid_state`. At most four tests of an account run at once.
    """
    cue_id = cue_id_of(call)
    command = SendTestDelivery(account_id=call.account_id, cue_id=cue_id)

    async def work() -> DeliveryTestWire:
        try:
            sent = await call.ports.bus.call(command, meta=call.meta(), timeout=CALL_SECONDS)
        except Refused as refused:
            if refused.rejection.code != "rate_limit_exceeded":
                raise
            headers = {"Retry-After": str(BUSY_SECONDS)}
            message = refused.rejection.message
            raise ApiError("rate_limit_exceeded", message, headers=headers) from refused
        assert isinstance(sent, DeliveryTestAnswer)
        return _wire(cue_id, sent)

    return await once(call, work)


def _wire(cue_id: str, sent: DeliveryTestAnswer) -> DeliveryTestWire:
    return DeliveryTestWire(
        cue_id=cue_id,
        result="delivered" if sent.error is None else "failed",
        duration_ms=sent.duration_ms,
        error=sent.error,
        error_message=sent.message,
        request=_request(sent.request),
        response=_response(sent.response) if sent.response else None,
    )


def _request(made: RequestMade) -> TestRequestWire:
    return TestRequestWire(
        method=made.method,
        url=made.url,
        headers=made.headers,
        body=made.body,
        body_truncated=made.cut,
    )


def _response(got: ResponseGot) -> TestResponseWire:
    return TestResponseWire(
        status=got.status, headers=got.headers, body=got.body, body_truncated=got.cut
    )
