"""What holds for every route (contract §1)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from libs.events.bus import Unanswered
from libs.runtime.postgres import Unavailable
from services.api.errors import STATUS
from tests.services.api.bodies import CUE, changed, nested
from tests.services.api.conftest import Fixture
from tests.services.api.fakes import admission

TWO_MIB = 2_097_152


def error_of(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    assert list(body) == ["error"]
    error = body["error"]
    assert error["status"] == response.status_code == STATUS[error["code"]]
    assert error["message"]
    assert error["request_id"] == response.headers["x-request-id"]
    assert response.headers["content-type"] == "application/json"
    return dict(error)


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/", 404, "not_found", None),
        ("GET", "/v1", 404, "not_found", None),
        ("GET", "/v1/nothing", 404, "not_found", None),
        ("GET", "/v1/cues/a/b", 404, "not_found", None),
        ("GET", "//", 404, "not_found", None),
        ("PUT", "/v1/cues", 405, "method_not_allowed", "GET, HEAD, OPTIONS, POST"),
        (
            "POST",
            "/v1/cues/cue_x7k9m2p4q8w1",
            405,
            "method_not_allowed",
            "DELETE, GET, HEAD, OPTIONS, PATCH",
        ),
        ("GET", "/v1/executions/claim", 405, "method_not_allowed", "OPTIONS, POST"),
        ("POST", "/v1/executions/claimable", 405, "method_not_allowed", "GET, HEAD, OPTIONS"),
        ("DELETE", "/health", 405, "method_not_allowed", "GET, HEAD, OPTIONS"),
    ],
)
async def test_unknown_routes_come_before_the_token(
    api: Fixture, method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    response = await api.client.request(method, path, headers={"Authorization": ""})
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert response.headers.get("allow") == allow


@pytest.mark.parametrize("path", ["/v1/cues", "/v1/cues/", "/v1/executions/", "/health/"])
async def test_a_trailing_slash_is_the_same_route(api: Fixture, path: str) -> None:
    assert (await api.client.get(path)).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"not json",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": ' + b"1" * 301 + b"}",
        b'{"a": "\x01"}',
        b'{"a": 1,}',
        b"{'a': 1}",
        json.dumps({"payload": nested(100)}).encode(),
        b"[" * 100_000,
        b'{"a":' * 50_000,
        '{"a": "\ud800"}'.encode("utf-8", "surrogatepass"),
    ],
)
async def test_what_is_not_json(api: Fixture, content: bytes) -> None:
    response = await api.client.post("/v1/cues", content=content)
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_json")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({**CUE, "payload": {"deep": nested(98)}}).encode(),
        json.dumps({**CUE, "payload": {"n": int("9" * 300)}}).encode(),
        json.dumps({**CUE, "payload": {"n": 1.7976931348623157e308}}).encode(),
        json.dumps({**CUE, "payload": {"x": "\ud83d\ude00"}}).encode(),
        b'{"name": "first", ' + json.dumps(CUE)[1:].encode(),
    ],
)
async def test_what_is_still_json(api: Fixture, content: bytes) -> None:
    response = await api.client.post("/v1/cues", content=content)
    assert response.status_code == 201, response.text
    assert response.json()["payload"] == json.loads(content).get("payload", {})
    assert response.json()["name"] == CUE["name"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_content_type_does_not_matter(api: Fixture, content_type: str) -> None:
    response = await api.client.post(
        "/v1/cues", content=json.dumps(CUE), headers={"Content-Type": content_type}
    )
    assert response.status_code == 201


@pytest.mark.parametrize("content", [b"", b" \n", b"{}"])
async def test_an_empty_body_is_an_empty_object(api: Fixture, content: bytes) -> None:
    response = await api.client.patch("/v1/cues/cue_x7k9m2p4q8w1", content=content)
    assert error_of(response)["code"] == "cue_not_found"  # after the command, which was accepted
    assert api.bus.command.changes == {}


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"3", b"null", b"true"])
async def test_a_body_must_be_an_object(api: Fixture, content: bytes) -> None:
    error = error_of(await api.client.post("/v1/cues", content=content))
    assert error["code"] == "validation_error"
    assert error["details"] == [{"field": "body", "message": "must be an object"}]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/v1/cues", "invalid_payload_size"),
        ("PATCH", "/v1/cues/cue_x7k9m2p4q8w1", "invalid_payload_size"),
        ("POST", "/v1/cues/cue_x7k9m2p4q8w1/fire", "invalid_payload_size"),
        ("POST", "/v1/executions/x/outcome", "request_too_large"),
        ("POST", "/v1/auth/register", "request_too_large"),
        ("DELETE", "/v1/cues/cue_x7k9m2p4q8w1", "request_too_large"),
        ("GET", "/v1/cues", "request_too_large"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_large_bodies_come_before_the_token(
    api: Fixture, method: str, path: str, code: str, chunked: bool
) -> None:
    async def chunks() -> Any:
        for _ in range(33):
            yield b" " * 65_536

    content = chunks() if chunked else b" " * (TWO_MIB + 1)
    response = await api.client.request(
        method, path, content=content, headers={"Authorization": ""}
    )
    assert error_of(response)["code"] == code


async def test_a_body_of_exactly_two_mib_is_read(api: Fixture) -> None:
    response = await api.client.post("/v1/cues", content=b" " * TWO_MIB)
    assert error_of(response)["code"] == "validation_error"


async def test_faulty_text_outside_payloads(api: Fixture) -> None:
    body = json.dumps({**CUE, "description": "x"}).replace('"x"', '"\\ud800"')
    error = error_of(await api.client.post("/v1/cues", content=body))
    assert error["code"] == "validation_error"
    assert "body.description" in [detail["field"] for detail in error["details"]]


async def test_faulty_text_in_payloads(api: Fixture) -> None:
    body = json.dumps({**CUE, "payload": {"a": ["x"]}}).replace('"x"', '"\\ud800"')
    error = error_of(await api.client.post("/v1/cues", content=body))
    assert error["code"] == "invalid_payload"


async def test_faulty_names_of_fields_can_be_told(api: Fixture) -> None:
    body = json.dumps(CUE)[:-1] + ', "\\ud800' + "x" * 10_000 + '": 1}'
    error = error_of(await api.client.post("/v1/cues", content=body))
    assert error["code"] == "validation_error"
    assert all(len(detail["field"]) <= 500 for detail in error["details"])


@pytest.mark.parametrize(
    "given",
    ["a-request_ID-0", "x" * 64],
)
async def test_the_callers_request_id_is_kept(api: Fixture, given: str) -> None:
    response = await api.client.get("/v1/cues", headers={"X-Request-Id": given})
    assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a;b"])
async def test_other_request_ids_are_replaced(api: Fixture, given: str) -> None:
    response = await api.client.get("/nope", headers={"X-Request-Id": given})
    assert error_of(response)["request_id"] != given


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("limit=-1", "query.limit"),
        ("limit=ten", "query.limit"),
        ("limit=1.0", "query.limit"),
        ("limit=+5", "query.limit"),
        ("limit=1_0", "query.limit"),
        ("limit=", "query.limit"),
        ("limit=99999999999999999999", "query.limit"),
        ("offset=-1", "query.offset"),
        ("offset=2147483648", "query.offset"),
        ("status=%00", "query.status"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/cues", "/v1/executions"])
async def test_pages_out_of_range(api: Fixture, path: str, query: str, field: str) -> None:
    error = error_of(await api.client.get(f"{path}?{query}"))
    assert error["code"] == "validation_error"
    assert field in [detail["field"] for detail in error["details"]]


async def test_pages_at_their_bounds(api: Fixture) -> None:
    response = await api.client.get("/v1/cues?limit=100&offset=2147483647&whatever=1")
    assert response.json() == {"cues": [], "total": 0, "limit": 100, "offset": 2_147_483_647}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/cues?status=deleted",
        "/v1/cues?status=",
        "/v1/executions?status=done",
        "/v1/executions?outcome_state=good",
        "/v1/executions?triggered_by=me",
        "/v1/executions?status__in=success,done",
    ],
)
async def test_unknown_values_of_enum_filters(api: Fixture, path: str) -> None:
    error = error_of(await api.client.get(path))
    assert (error["status"], error["code"]) == (400, "invalid_filter")


@pytest.mark.parametrize(
    ("sent", "status"),
    [("x", 404), ("\x21" * 256, 404), ("x" * 257, 422), ("", 422), ("a b", 422), ("é", 422)],
)
async def test_idempotency_keys_are_visible_ascii(api: Fixture, sent: str, status: int) -> None:
    response = await api.client.patch(
        "/v1/cues/cue_x7k9m2p4q8w1",
        json={},
        headers=[(b"Idempotency-Key", sent.encode("latin-1"))],
    )
    assert response.status_code == status
    if status == 422:
        assert error_of(response)["details"][0]["field"] == "header.Idempotency-Key"


async def test_idempotency_keys_are_scoped_to_method_and_path(api: Fixture) -> None:
    headers = {"Idempotency-Key": "once"}
    for body in (CUE, dict(reversed(CUE.items())), {**CUE, "name": "other"}):
        await api.client.post("/v1/cues/", json=body, headers=headers)
    first, same, other = (sent for sent in api.bus.idempotencies if sent is not None)
    assert first.key == "POST /v1/cues once"
    assert first == same
    assert other.key == first.key
    assert other.request_hash != first.request_hash


async def test_a_replay_is_told(api: Fixture) -> None:
    api.bus.replayed = True
    response = await api.client.delete("/v1/cues/cue_x7k9m2p4q8w1")
    assert response.headers["idempotent-replayed"] == "true"


async def test_cors(api: Fixture) -> None:
    response = await api.client.get("/v1/cues", headers={"Origin": "https://app.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "X-Request-Id" in response.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in response.headers
    preflight = await api.client.options(
        "/v1/cues",
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, x-anything",
        },
    )
    assert preflight.status_code == 204
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "authorization, x-anything"


async def test_a_command_without_answer_is_503(api: Fixture) -> None:
    api.bus.failing = Unanswered("away")
    response = await api.client.post("/v1/cues", json=CUE)
    assert error_of(response)["code"] == "service_unavailable"
    assert response.headers["retry-after"] == "5"


async def test_postgres_away_is_503(api: Fixture) -> None:
    api.store.broken = Unavailable("away")
    response = await api.client.get("/v1/cues")
    assert error_of(response)["code"] == "service_unavailable"
    assert response.headers["retry-after"] == "5"


async def test_the_unforeseen_is_500_in_the_envelope(api: Fixture) -> None:
    api.store.broken = ZeroDivisionError("a bug")
    response = await api.client.get("/v1/cues")
    error = error_of(response)
    assert error["code"] == "internal_error"
    assert "a bug" not in response.text


@pytest.mark.parametrize("code", sorted({*STATUS} - {"invalid_echo_token"}))
async def test_every_refusal_has_its_status(api: Fixture, code: str) -> None:
    api.bus.refuse(code)
    assert error_of(await api.client.post("/v1/cues", json=CUE))["code"] == code


async def test_the_command_knows_where_it_comes_from(api: Fixture) -> None:
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    headers = {"X-Request-Id": "r-1", "traceparent": parent}
    await api.client.post("/v1/cues", json=CUE, headers=headers)
    meta = api.bus.metas[-1]
    assert (meta.correlation_id, meta.traceparent) == ("r-1", parent)
    assert meta.actor == f"key:{admission()['key_id']}"


async def test_order_of_checks(api: Fixture) -> None:
    """Each request has two faults; the first in the contract's order is told."""
    api.store.admission = None
    bad_json = await api.client.post("/v1/cues", content=b"{")
    assert error_of(bad_json)["code"] == "invalid_api_key"
    api.store.admission = admission()
    missing = "/v1/cues/cue_000000000000"
    bad_shape = await api.client.patch(missing, json={"name": 1})
    assert error_of(bad_shape)["code"] == "validation_error"
    bad_value = await api.client.patch(
        missing, json=changed({}, "callback.url", "http://x.example")
    )
    assert error_of(bad_value)["code"] == "cue_not_found"
