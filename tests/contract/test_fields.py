"""Every field of the contract's tables, sent wrongly in every way: one test for each endpoint.

A field that a model has and the table has not fails here, and so does one too many in the table.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple, get_args

import httpx
import pytest
from pydantic import BaseModel

from libs.events.log import PostgresLog
from services.api.app import RESOURCES
from services.api.codes import CODES
from services.api.routes.operation import Operation
from tests.contract.fields import FIELDS, Row, rows
from tests.contract.target import Account, Target, running_target

pytestmark = pytest.mark.integration

OPERATIONS: dict[str, Operation[Any, Any]] = {
    each.handler.__name__: each for resource in RESOURCES for each in resource.all
}
IGNORED_HERE = {"store_echo", "receive_notice"}


@pytest.fixture(scope="module")
async def target(postgres_log: PostgresLog) -> AsyncIterator[Target]:
    async with running_target(postgres_log) as running:
        yield running


@pytest.fixture(scope="module")
async def account(target: Target) -> Account:
    return await target.account()


@pytest.fixture(scope="module")
async def client(target: Target, account: Account) -> AsyncIterator[Client]:
    headers = {**account.headers, "X-Confirm-Destructive": "true"}
    async with httpx.AsyncClient(base_url=target.url, trust_env=False, headers=headers) as http:
        yield Client(http, account)


class Client(NamedTuple):
    """An account that calls."""

    http: httpx.AsyncClient
    account: Account


async def sent(client: Client, name: str, body: Any) -> httpx.Response:
    operation = OPERATIONS[name]
    path = re.sub(r"\{(\w+)\}", lambda part: client.account.ids[part[1]], operation.path)
    return await client.http.request(operation.method, path, json=body)


@pytest.mark.parametrize("endpoint", FIELDS)
async def test_a_field_that_is_wrong_is_named(endpoint: str, client: Client) -> None:
    faults = [
        (row.field, _short(row.bad.value), fault)
        for row in rows()
        if row.endpoint == endpoint and (fault := await _fault(row, client))
    ]
    assert not faults


async def _fault(row: Row, client: Client) -> Any:
    """What is wrong with the answer to a row; None when it is as the contract says."""
    response = await sent(client, row.endpoint, row.body)
    if response.is_success:
        return response.status_code
    error = response.json()["error"]
    if (response.status_code, error["code"]) != (row.bad.status, row.bad.code):
        return error
    if error["code"] != "validation_error":
        return None
    told = [detail["field"] for detail in error["details"]]
    expected = row.bad.where or f"body.{row.field}"
    return None if any(field.startswith(expected) for field in told) else told


@pytest.mark.parametrize("endpoint", FIELDS)
async def test_an_unknown_field_is_named_or_ignored(endpoint: str, client: Client) -> None:
    ignores = OPERATIONS[endpoint].body.model_config["extra"] == "ignore"
    row = next(row for row in rows() if row.endpoint == endpoint)
    body = {**row.body, "an_unknown_field": 1}
    response = await sent(client, endpoint, body)
    told = response.text
    assert ("body.an_unknown_field" in told) == (not ignores)


@pytest.mark.parametrize("endpoint", [name for name in FIELDS if name != "approve_sign_in"])
@pytest.mark.parametrize("body", [[], "text", 7, True])
async def test_a_body_that_is_no_object_is_refused(
    endpoint: str, body: Any, client: Client
) -> None:
    response = await sent(client, endpoint, body)
    assert response.status_code == 422, response.text


def test_the_table_has_the_fields_that_the_models_have() -> None:
    for name, operation in OPERATIONS.items():
        if name in IGNORED_HERE:
            continue
        assert set(_fields_of(operation.body)) == set(FIELDS.get(name, {})), name


def test_every_code_that_the_table_expects_is_told_by_its_endpoint() -> None:
    for row in rows():
        assert row.bad.code in set(OPERATIONS[row.endpoint].refusals()), row[:2]
        assert CODES[row.bad.code].status == row.bad.status


def _fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _fields_of(kind, f"{prefix}{name}.")


def _short(value: Any) -> str:
    return repr(value)[:60]
