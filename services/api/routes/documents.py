"""What the endpoints take and answer, in OpenAPI's words; FastAPI makes the document of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from typing_extensions import override

from services.api.codes import code_on_the_wire
from services.api.errors import STATUS, Envelope
from services.api.routes.operation import Access, Operation, Page, Streamed
from services.api.routes.shapes import NoBody

_REF = "#/components/schemas/"


class Api(FastAPI):
    """FastAPI, whose document also holds the models of our bodies and answers."""

    def __init__(self, operations: Sequence[Operation[Any, Any]], **settings: Any) -> None:
        super().__init__(**settings)
        self._operations = operations

    @override
    def openapi(self) -> dict[str, Any]:
        """Build the OpenAPI 3.1 document, once."""
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"] = {
                "schemas": _schemas(self._operations),
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            }
            self.openapi_schema = document
        return self.openapi_schema


def described(operation: Operation[Any, Any]) -> dict[str, Any]:
    """Describe what FastAPI does not see: the parameters, the bodies, and every refusal."""
    extra: dict[str, Any] = {
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation)],
        "responses": {
            **_refusals(operation.refusals()),
            **{str(status): _answer(status, m) for status, m in operation.answers.items()},
        },
        "security": [{"bearer": []}] if operation.access is Access.ACCOUNT else [],
    }
    if operation.body is not NoBody:
        reference = {"$ref": _REF + operation.body.__name__}
        extra["requestBody"] = {
            "required": any(f.is_required() for f in operation.body.model_fields.values()),
            "content": {"application/json": {"schema": reference}},
        }
    return extra


def _path_parameters(path: str) -> Iterable[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            schema = {"type": "string", "minLength": 1}
            yield {"name": part[1:-1], "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation[Any, Any]) -> Iterable[dict[str, Any]]:
    schema = operation.query.model_json_schema()
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        schema = _without_null(field)
        yield {"name": name, "in": "query", "required": name in required, "schema": schema}


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    # A parameter is absent or a text; it cannot be null.
    kinds = [kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else field


def _answer(status: int, model: type[msgspec.Struct] | None) -> dict[str, Any]:
    words = HTTPStatus(status).phrase
    if model is None:
        return {"description": words}
    if model is Page:
        return {"description": words, "content": {"text/html": {"schema": {"type": "string"}}}}
    media = "text/event-stream" if issubclass(model, Streamed) else "application/json"
    return {
        "description": words,
        "content": {media: {"schema": {"$ref": _REF + model.__name__}}},
    }


def _refusals(codes: Iterable[str]) -> dict[str, Any]:
    by_status = sorted(set(codes), key=lambda code: (STATUS[code], code))
    return {
        str(status): _refusal(group)
        for status, group in groupby(by_status, key=lambda code: STATUS[code])
    }


def _refusal(codes: Iterable[str]) -> dict[str, Any]:
    codes = [code_on_the_wire(code) for code in codes]
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    schema = {"allOf": [{"$ref": _REF + Envelope.__name__}, narrowed]}
    return {
        "description": ", ".join(codes),
        "content": {"application/json": {"schema": schema}},
    }


def _schemas(operations: Sequence[Operation[Any, Any]]) -> dict[str, Any]:
    bodies = {each.body.__name__: each.body for each in operations if each.body is not NoBody}
    answers = [m for each in operations for m in each.answers.values() if m is not None]
    models = {model.__name__: model for model in answers if model is not Page}
    _, sent = models_json_schema(
        [(bodies[name], "validation") for name in sorted(bodies)], ref_template=_REF + "{model}"
    )
    _, answered = msgspec.json.schema_components(
        [Envelope, *(models[name] for name in sorted(models))], ref_template=_REF + "{name}"
    )
    return {**sent.get("$defs", {}), **answered}
