"""The OpenAPI document tells what the routes are, and every way in which they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.api.app import RESOURCES
from services.api.codes import code_on_the_wire
from services.api.errors import STATUS
from services.api.routes.operation import Access
from tests.services.api.conftest import Fixture

STATUSES_OF: dict[str, set[int]] = {}
for known, its_status in STATUS.items():
    STATUSES_OF.setdefault(code_on_the_wire(known), set()).add(its_status)

OPERATIONS = [operation for resource in RESOURCES for operation in resource.all]


@pytest.fixture
async def document(api: Fixture) -> dict[str, Any]:
    return dict((await api.client.get("/openapi.json")).json())


def described(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_has_every_route_and_no_other(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(described(document)) == {(each.method, each.path) for each in OPERATIONS}


def test_every_path_is_told_with_its_parts(document: dict[str, Any]) -> None:
    for (_, path), operation in described(document).items():
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_values_of(document, "$ref")) <= known


def test_every_code_exists_and_stands_under_its_status(document: dict[str, Any]) -> None:
    for place, operation in described(document).items():
        for status, response in operation["responses"].items():
            for codes in _values_of(response, "code"):
                for code in codes["enum"]:
                    assert int(status) in STATUSES_OF[code], (place, code)


def test_every_code_is_told_somewhere(document: dict[str, Any]) -> None:
    told = {
        code
        for operation in described(document).values()
        for codes in _values_of(operation["responses"], "code")
        for code in codes["enum"]
    }
    assert {*STATUSES_OF} - told == {"method_not_allowed"}


def test_every_answer_has_a_model(document: dict[str, Any]) -> None:
    for place, operation in described(document).items():
        for status, response in operation["responses"].items():
            assert "content" in response or status == "204", place


def test_a_token_is_asked_for_where_it_is_needed(document: dict[str, Any]) -> None:
    operations = described(document)
    for each in OPERATIONS:
        guarded = operations[each.method, each.path]["security"] == [{"bearer": []}]
        assert guarded == (each.access is Access.ACCOUNT)


def test_bodies_are_told_by_their_models(document: dict[str, Any]) -> None:
    body = described(document)["POST", "/v1/cues"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/CreateCueBody"}


def _values_of(node: Any, key: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from _values_of(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values_of(value, key)
