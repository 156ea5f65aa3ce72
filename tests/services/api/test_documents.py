"""The OpenAPI document tells what the routes are, and every way in which they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from services.api.app import RESOURCES
from services.api.codes import code_on_the_wire
from services.api.errors import STATUS
from services.api.routes.examples import EXAMPLES
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
    known = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers", "examples")
        for name in document["components"][kind]
    }
    assert set(_values_of(document, "$ref")) <= known


def test_every_code_exists_and_stands_under_its_status(document: dict[str, Any]) -> None:
    for place, operation in described(document).items():
        for status, response in operation["responses"].items():
            for codes in _enums_of(response):
                for code in codes:
                    assert int(status) in STATUSES_OF[code], (place, code)


def test_every_code_is_told_somewhere(document: dict[str, Any]) -> None:
    told = {
        code
        for operation in described(document).values()
        for codes in _enums_of(operation["responses"])
        for code in codes
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


def test_every_place_has_a_tag_that_is_explained(document: dict[str, Any]) -> None:
    explained = {tag["name"] for tag in document["tags"]}
    assert {tag for each in described(document).values() for tag in each["tags"]} == explained


def test_everything_is_described(document: dict[str, Any]) -> None:
    for place, operation in described(document).items():
        assert operation["summary"], place
        assert operation["description"], place
        for parameter in operation["parameters"]:
            assert parameter["description"], (place, parameter["name"])


def test_operation_ids_are_one_each(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in described(document).values()]
    assert len(ids) == len(set(ids))


def test_the_document_is_one_of_openapi(document: dict[str, Any]) -> None:
    OPENAPI_31_VALIDATOR.validate(document)


def test_bodies_and_answers_have_examples_that_fit(document: dict[str, Any]) -> None:
    for place, operation in described(document).items():
        for content in _contents(operation):
            shown = content.get("examples", {"": {"value": content.get("example")}})
            for each in (_followed(document, example) for example in shown.values()):
                faults = list(_validator(document, content["schema"]).iter_errors(each["value"]))
                assert not faults, (place, faults[0].message)


def test_parameters_have_examples_that_fit(document: dict[str, Any]) -> None:
    for place, operation in described(document).items():
        for parameter in operation["parameters"]:
            if "example" in parameter:
                found = _validator(document, parameter["schema"]).is_valid(parameter["example"])
                assert found, (place, parameter["name"])


def test_every_code_of_every_place_has_its_example(document: dict[str, Any]) -> None:
    for place, operation in described(document).items():
        for status, response in operation["responses"].items():
            for codes in _enums_of(response):
                examples = response["content"]["application/json"]["examples"]
                assert set(examples) == set(codes), (place, status)


def test_no_example_is_left_over(document: dict[str, Any]) -> None:
    assert set(EXAMPLES) <= set(document["components"]["schemas"])


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    places = [operation.get("requestBody", {}), *operation["responses"].values()]
    for place in places:
        if "application/json" in place.get("content", {}):
            yield place["content"]["application/json"]


def _followed(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    *_, kind, name = node["$ref"].split("/")
    return dict(document["components"][kind][name])


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    whole = {**schema, "components": document["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _enums_of(node: Any) -> Iterator[list[str]]:
    return (codes["enum"] for codes in _values_of(node, "code") if isinstance(codes, dict))


def _values_of(node: Any, key: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from _values_of(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values_of(value, key)
