"""No input may produce a 500 (contract §1)."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from libs.events.base import Rejection
from libs.events.bus import Refused
from libs.events.log import PostgresLog
from libs.runtime.crypto import Keyring
from libs.runtime.http.names import NameLookup
from services.api.app import RESOURCES, build
from services.api.queries.pages import Filters, Pages
from services.api.routes.operation import Operation
from services.api.routes.ports import Ports, Rules, Unit
from services.api.routes.streams import stream_events
from tests.services.api.bodies import CUE
from tests.services.api.conftest import API_KEY, SECRET, addresses_of
from tests.services.api.fakes import FakeBus, FakeStore, PostBox
from tests.services.api.real import User, application, registered

OPERATIONS = [operation for resource in RESOURCES for operation in resource.all]
# The fake store knows no profiles, for which sessions ask.
WRITES = [
    o
    for o in OPERATIONS
    if o.method in ("POST", "PATCH") and not {"session", "billing"} & {*o.path.split("/")}
]
CUE_ID = "cue_x7k9m2p4q8w1"
UUID = "550e8400-e29b-41d4-a716-446655440000"

texts = st.text(st.characters(exclude_categories=()), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(["0 9 * * *", "2027-01-01T00:00:00Z", "UTC", "https://a.example/", "once"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Operation[Any, Any], dict[str, Any]]:
    """A body for some endpoint: known fields, mostly, with any values."""
    operation = draw(st.sampled_from(WRITES))
    names = st.sampled_from([*operation.body.model_fields, *CUE, "unknown"]) | texts
    body = draw(st.dictionaries(names, values, max_size=6))
    if operation.path == "/v1/cues" and draw(st.booleans()):
        body = {**CUE, **body}
    for name in list(body):
        field = operation.body.model_fields.get(name)
        model = getattr(field and field.annotation, "model_fields", None)
        if model and draw(st.booleans()):
            body[name] = draw(st.dictionaries(st.sampled_from([*model]), values, max_size=4))
    return operation, body


def path_of(operation: Operation[Any, Any]) -> str:
    path = operation.path.replace("{cue_id}", CUE_ID)
    return path.replace("{execution_id}", UUID).replace("{alert_id}", UUID)


class RefusingLog:
    """Refuses every transaction."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        raise Refused(Rejection(code="claim_failed", message="no"))


@cache
def refusing_app() -> ASGIApp:
    """The application on fakes; every command is refused."""
    store = FakeStore()
    bus = FakeBus(store)
    bus.refuse("claim_failed")
    ports = Ports(
        store=store,
        pages=Pages(store),
        bus=bus,
        log=RefusingLog(),
        keyring=Keyring.derived_from(SECRET),
        names=NameLookup(addresses_of),
        mailer=PostBox(),
        rules=Rules(session_secret=SECRET),
    )
    return build(ports)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies())
def test_any_json_has_an_answer(sent: tuple[Operation[Any, Any], dict[str, Any]]) -> None:
    operation, body = sent
    body.pop("wait_seconds", None)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=refusing_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(
                operation.method,
                path_of(operation),
                content=json.dumps(body),
                headers={"Authorization": f"Bearer {API_KEY}"},
            )

    response = asyncio.run(send())
    assert response.status_code < 500, (operation.path, body, response.text)
    if response.is_error and "json" in response.headers["content-type"]:
        assert response.json()["error"]["code"]


NASTY = [
    "",
    " ",
    "'",
    "%",
    "\\",
    "\x7f",
    "\0",
    "x" * 5_000,
    "😀",
    "\u202e",
    "null",
    "-1",
    "1e3",
    "0x10",
    "9" * 400,
    "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "24:00",
    UUID,
    UUID.upper(),
    CUE_ID,
    "true",
    "TRUE",
    "success,,success",
    "cue_" + "é" * 12,
]


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog) -> ASGIApp:
    return application(postgres_log, NameLookup(addresses_of), Rules(enforce_quotas=False))


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


@pytest.mark.integration
@pytest.mark.parametrize("nasty", NASTY)
async def test_any_query_and_any_path_has_an_answer(user: User, nasty: str) -> None:
    for operation in OPERATIONS:
        if operation.method != "GET" or operation.handler is stream_events:  # it does not end
            continue
        for name in operation.query.model_fields:
            query = str(httpx.QueryParams({name: nasty}))
            response = await user.call("GET", f"{path_of(operation)}?{query}")
            assert response.status_code < 500, (operation.path, name, nasty, response.text)
    for operation in OPERATIONS:
        path = operation.path.split("{")[0]
        if path != operation.path:
            response = await user.call(operation.method, path + quote(nasty, safe=""), {})
            assert response.status_code < 500, (path, nasty, response.text)


def test_filters_take_only_our_own_words_as_columns() -> None:
    filters = Filters("a")
    filters.equal("status", "x' or 1=1 --")
    assert filters.sql == "account_id = %(account)s and status = %(status)s"
