"""What a client does around a call: retries, errors, pages, settings."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest
from cueapi import (
    AlertNotFoundError,
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConflictError,
    CueAPI,
    CueAPIError,
    CueAPIServerError,
    CueLimitExceededError,
    CueNotFoundError,
    ExecutionNotFoundError,
    InvalidScheduleError,
    NotOwnerError,
    OutcomeAlreadyRecordedError,
    PreconditionFailedError,
    RateLimitError,
    ValidationError,
)

from services.api.codes import CODES, code_on_the_wire
from tests.clients.sdk.fakes import FakeServer, ids, pages, refusal

OK = httpx.Response(200, json={})
DOWN = refusal(503, "service_unavailable")
WORKS = httpx.Response(200, json={"id": "cue_1", "cues": [], "total": 0})


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        refusal(408, "timeout"),
        refusal(429, "rate_limit_exceeded"),
        refusal(500, "internal_error"),
        httpx.Response(502, text="<html>Bad Gateway</html>"),
    ],
)
def test_trouble_is_tried_again_with_one_idempotency_key(
    trouble: httpx.Response | type[httpx.TransportError],
) -> None:
    server = FakeServer(trouble, trouble, WORKS)
    cue = server.client().cues.create("a", cron="* * * * *", callback="https://a.example")
    assert cue.id == "cue_1"
    assert len(server.requests) == 3
    assert len(server.keys()) == 1
    first, second = server.slept
    assert 0.25 <= first <= 0.5 <= second <= 1.0


async def test_an_async_client_tries_again_too() -> None:
    server = FakeServer(httpx.ConnectError, DOWN, WORKS)
    assert (await server.async_client().cues.pause("cue_1")).id == "cue_1"
    assert len(server.keys()) == 1
    assert len(server.slept) == 2


def test_every_call_has_a_key_of_its_own_unless_told() -> None:
    server = FakeServer(OK)
    client = server.client()
    client.executions.replay("e")
    client.executions.replay("e")
    assert len(server.keys()) == 2
    client.cues.fire("c", idempotency_key="mine")
    assert server.requests[-1].headers["Idempotency-Key"] == "mine"


def test_a_call_that_is_sent_once_needs_no_key() -> None:
    server = FakeServer(OK)
    server.client(max_retries=0).executions.replay("e")
    assert "Idempotency-Key" not in server.requests[0].headers


def test_after_two_retries_the_error_is_raised() -> None:
    server = FakeServer(DOWN)
    with pytest.raises(CueAPIServerError) as raised:
        server.client().usage.get()
    assert len(server.requests) == 3
    assert raised.value.status_code == 503


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_refusals_are_not_tried_again(status: int) -> None:
    server = FakeServer(refusal(status, "no"))
    with pytest.raises(CueAPIError):
        server.client().usage.get()
    assert len(server.requests) == 1


def test_the_server_says_when_to_come_back() -> None:
    server = FakeServer(refusal(429, "rate_limit_exceeded", Retry_After="7"), OK)
    server.client().usage.get()
    assert 7 <= server.slept[0] <= 7.5


def test_nobody_waits_for_minutes() -> None:
    server = FakeServer(refusal(429, "rate_limit_exceeded", Retry_After="3600"))
    with pytest.raises(RateLimitError) as raised:
        server.client().usage.get()
    assert raised.value.retry_after == 3600
    assert not server.slept


def test_a_strange_retry_after_is_none() -> None:
    strange = refusal(429, "rate_limit_exceeded", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")
    with pytest.raises(RateLimitError) as raised:
        FakeServer(strange).client().usage.get()
    assert raised.value.retry_after == 0


@pytest.mark.parametrize(
    ("status", "code", "kinds"),
    [
        (400, "invalid_schedule", {InvalidScheduleError}),
        (422, "validation_error", {ValidationError, InvalidScheduleError}),
        (401, "key_rotated", {AuthenticationError}),
        (403, "cue_limit_exceeded", {CueLimitExceededError}),
        (403, "not_execution_owner", {NotOwnerError, CueLimitExceededError}),
        (404, "cue_not_found", {CueNotFoundError}),
        (404, "execution_not_found", {ExecutionNotFoundError, CueNotFoundError}),
        (404, "alert_not_found", {AlertNotFoundError, CueNotFoundError}),
        (409, "outcome_already_recorded", {OutcomeAlreadyRecordedError, ConflictError}),
        (409, "invalid_state", {ConflictError}),
        (412, "precondition_failed", {PreconditionFailedError}),
        (429, "rate_limit_exceeded", {RateLimitError}),
        (500, "internal_error", {CueAPIServerError}),
    ],
)
def test_errors_have_finer_classes_under_the_old(
    status: int, code: str, kinds: set[type[CueAPIError]]
) -> None:
    with pytest.raises(CueAPIError) as raised:
        FakeServer(refusal(status, code)).client(max_retries=0).usage.get()
    error = raised.value
    assert {*type(error).__mro__} >= kinds
    assert (error.status_code, error.code, error.message) == (status, code, f"{code}!")
    assert error.request_id == "req-1"
    assert str(error) == error.message


OLD_CLASSES = {
    400: InvalidScheduleError,
    401: AuthenticationError,
    403: CueLimitExceededError,
    404: CueNotFoundError,
    409: ConflictError,
    422: InvalidScheduleError,
    429: RateLimitError,
}


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_server_raises_what_its_status_says(code: str) -> None:
    status = CODES[code].status
    expected = OLD_CLASSES.get(status, CueAPIServerError if status >= 500 else CueAPIError)
    with pytest.raises(expected):
        FakeServer(refusal(status, code_on_the_wire(code))).client(max_retries=0).usage.get()


@pytest.mark.parametrize(
    "body", ['"text"', "[1]", "<html>", "", '{"error": "text"}', '{"detail": ["no"]}', "null"]
)
def test_any_body_of_a_refusal_is_an_error_of_ours(body: str) -> None:
    with pytest.raises(CueNotFoundError) as raised:
        FakeServer(httpx.Response(404, text=body)).client().usage.get()
    assert raised.value.details == []
    assert raised.value.hint is None


def test_an_answer_that_is_no_json_points_to_the_base_url() -> None:
    with pytest.raises(CueAPIError, match="base URL"):
        FakeServer(httpx.Response(200, text="<html>")).client().usage.get()


def test_network_trouble_is_an_error_of_ours_and_still_one_of_httpx() -> None:
    with pytest.raises(APIConnectionError) as broken:
        FakeServer(httpx.ConnectError).client().usage.get()
    assert isinstance(broken.value, httpx.TransportError)
    assert isinstance(broken.value.__cause__, httpx.ConnectError)
    with pytest.raises(APITimeoutError) as late:
        FakeServer(httpx.ReadTimeout).client().usage.get()
    assert isinstance(late.value, httpx.TimeoutException)


def test_a_list_pages_by_itself() -> None:
    server = FakeServer(*pages("cues", 5))
    page = server.client().cues.list(limit=2, status="active")
    assert (page.total, len(page), ids(page.items)) == (5, 2, ["0", "1"])
    assert ids(page) == ["0", "1", "2", "3", "4"]
    assert [r.url.params["offset"] for r in server.requests] == ["0", "2", "4"]
    assert {r.url.params["status"] for r in server.requests} == {"active"}


async def test_an_async_list_pages_by_itself_awaited_or_not() -> None:
    whole = ["0", "1", "2", "3", "4"]
    listing = FakeServer(*pages("executions", 5)).async_client().executions.list(limit=2)
    assert [each.id async for each in listing] == whole
    page = await FakeServer(*pages("executions", 5)).async_client().executions.list(limit=2)
    assert [each.id async for each in page] == whole
    with pytest.raises(TypeError, match="async for"):
        ids(page)


def test_an_empty_list_ends_whatever_its_total_says() -> None:
    empty = httpx.Response(200, json={"alerts": [], "total": 9, "limit": 2, "offset": 0})
    server = FakeServer(empty)
    assert ids(server.client().alerts.list()) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("base", ["http://h:8/v1", "http://h:8/v1/", "http://h:8", "http://h:8/"])
def test_the_base_may_have_v1_or_not(base: str) -> None:
    server = FakeServer(OK)
    server.client(base_url=base).usage.get()
    assert str(server.requests[0].url) == "http://h:8/v1/usage"


def test_the_environment_gives_key_and_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUEAPI_API_KEY", "from-env")
    monkeypatch.setenv("CUEAPI_BASE_URL", "http://env/v1")
    with CueAPI() as client:
        assert client.settings.api_key == "from-env"
        assert client.settings.origin == "http://env"


def test_no_key_is_a_value_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUEAPI_API_KEY", raising=False)
    for key in ("", None, "  "):
        with pytest.raises(ValueError, match="CUEAPI_API_KEY"):
            CueAPI(key)


@pytest.mark.parametrize("base", ["localhost:8000", "ftp://h", "https://"])
def test_a_base_that_is_none_is_a_value_error(base: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        CueAPI("key", base_url=base)


def test_requests_say_who_calls() -> None:
    server = FakeServer(OK)
    server.client(headers={"X-Team": "a"}).usage.get()
    (request,) = server.requests
    assert request.headers["Authorization"] == "Bearer key"
    assert request.headers["User-Agent"].startswith("cueapi-python/1.0.0")
    assert request.headers["X-Team"] == "a"


def test_a_client_without_key_sends_none() -> None:
    server = FakeServer(OK)
    http = httpx.Client(transport=httpx.MockTransport(server.handle))
    CueAPI.without_key(base_url="http://api", http_client=http).account.register("a@b.org")
    assert "Authorization" not in server.requests[0].headers


def test_options_make_a_client_on_the_same_connections() -> None:
    server = FakeServer(DOWN)
    client = server.client()
    patient = client.with_options(max_retries=5, timeout=1.5, api_key="other")
    with pytest.raises(CueAPIServerError):
        patient.usage.get()
    assert len(server.requests) == 6
    request = server.requests[0]
    assert request.headers["Authorization"] == "Bearer other"
    assert request.extensions["timeout"]["read"] == 1.5
    assert patient.http is client.http
    assert client.settings.retry.retries == 2
    with pytest.raises(TypeError, match="no option retries"):
        client.with_options(retries=5)  # type: ignore[call-arg]


def test_a_client_of_ones_own_stays_open() -> None:
    with httpx.Client() as http:
        CueAPI("key", http_client=http).close()
        assert not http.is_closed
    for own in (CueAPI("key"), CueAPI.without_key()):
        with own:
            pass
        assert own.http.is_closed


def test_a_long_poll_is_given_its_time() -> None:
    server = FakeServer(OK)
    server.client(timeout=5).executions.claim_next(worker_id="w", wait_seconds=30)
    assert server.requests[0].extensions["timeout"]["read"] == 40


def test_any_path_can_be_called() -> None:
    server = FakeServer(httpx.Response(200, json={"a": 1}))
    assert server.client().request("GET", "/v1/usage", params={"x": True}) == {"a": 1}
    assert server.requests[0].url.query == b"x=true"


def test_nothing_is_sent_that_makes_no_sense() -> None:
    server = FakeServer(OK)
    client = server.client()
    naive = datetime(2026, 3, 28, 9)  # noqa: DTZ001
    with pytest.raises(ValueError, match="timezone"):
        client.cues.create("a", at=naive)
    with pytest.raises(ValueError, match="either cron"):
        client.cues.create("a")
    with pytest.raises(ValueError, match="either cron"):
        client.cues.create("a", cron="* * * * *", at="2026-03-28T09:00:00Z")
    with pytest.raises(ValueError, match="empty"):
        client.cues.delete("")
    with pytest.raises(ValueError, match="no id"):
        client.cues.get("..")
    with pytest.raises(ValueError, match="exit_criteria"):
        client.cues.fire("c", exit_criteria={})
    assert not server.requests


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    server = FakeServer(httpx.Response(204))
    server.client().workers.delete("a/../b?c#d")
    assert server.requests[0].url.raw_path == b"/v1/workers/a%2F..%2Fb%3Fc%23d"
