"""One endpoint in OpenAPI's words: what it takes, what it answers, and every way it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from itertools import groupby
from typing import Any

import msgspec

from services.api.codes import CODES, code_on_the_wire
from services.api.codes.told import example
from services.api.errors import Envelope
from services.api.routes.examples import EXAMPLES
from services.api.routes.operation import Access, Operation, Page, Streamed
from services.api.routes.parameters import (
    answer_headers,
    header_parameters,
    path_parameters,
    query_parameters,
    refusal_headers,
)
from services.api.routes.shapes import NoBody

REF = "#/components/schemas/"
ERROR_PAGE = "https://api.cueapi.ai/docs/errors"


def described(operation: Operation[Any, Any]) -> dict[str, Any]:
    """Describe what FastAPI does not see: the parameters, the bodies, and every refusal."""
    extra: dict[str, Any] = {
        "parameters": [
            *path_parameters(operation.path),
            *query_parameters(operation),
            *header_parameters(operation),
        ],
        "responses": {
            **_refusals(operation),
            **{str(status): _answer(operation, status) for status in operation.answers},
        },
        "security": [{"bearer": []}] if operation.access is Access.ACCOUNT else [],
    }
    if operation.body is not NoBody:
        name = operation.body.__name__
        content = {"schema": {"$ref": REF + name}, "example": EXAMPLES.get(name)}
        extra["requestBody"] = {
            "required": any(f.is_required() for f in operation.body.model_fields.values()),
            "content": {"application/json": content},
        }
    return extra


def _answer(operation: Operation[Any, Any], status: int) -> dict[str, Any]:
    words, model = HTTPStatus(status).phrase, operation.answers[status]
    told: dict[str, Any] = {"description": words, "headers": answer_headers(operation, model)}
    if model is not None:
        told["content"] = _content(model)
    return told


def _content(model: type[msgspec.Struct]) -> dict[str, Any]:
    if model is Page:
        return {"text/html": {"schema": {"type": "string"}}}
    schema, shown = {"$ref": REF + model.__name__}, EXAMPLES.get(model.__name__)
    if issubclass(model, Streamed):
        line = f"id: 1042\ndata: {msgspec.json.encode(shown).decode()}\n\n"
        return {"text/event-stream": {"schema": schema, "example": line}}
    return {"application/json": {"schema": schema, "example": shown}}


def _refusals(operation: Operation[Any, Any]) -> dict[str, Any]:
    by_status = sorted(set(operation.refusals()), key=lambda code: (CODES[code].status, code))
    return {
        str(status): _refusal(operation, status, list(codes))
        for status, codes in groupby(by_status, key=lambda code: CODES[code].status)
    }


def _refusal(operation: Operation[Any, Any], status: int, names: list[str]) -> dict[str, Any]:
    codes = [code_on_the_wire(name) for name in names]
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    return {
        "description": "\n".join(
            f"- `{code}`: {CODES[name].meaning}" for code, name in zip(codes, names, strict=True)
        ),
        "headers": refusal_headers(operation, status),
        "content": {
            "application/json": {
                "schema": {"allOf": [{"$ref": REF + Envelope.__name__}, narrowed]},
                "examples": {
                    code: {"$ref": f"#/components/examples/{name}"}
                    for code, name in zip(codes, names, strict=True)
                },
            }
        },
    }


def refusal_examples() -> dict[str, Any]:
    """An example of every code, by its name in the table."""
    return {
        name: {
            "summary": row.meaning,
            "value": example(code_on_the_wire(name), row, ERROR_PAGE),
        }
        for name, row in CODES.items()
    }


def schemas_used(models: Iterable[type[msgspec.Struct] | None]) -> list[type[msgspec.Struct]]:
    """The models of answers that have a schema, each once, in the order of their names."""
    named = {model.__name__: model for model in models if model is not None and model is not Page}
    return [named[name] for name in sorted(named)]
