"""The OpenAPI document: what the endpoints take and answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from services.api.errors import Envelope
from services.api.routes.operation import Access, Operation, Operations, answer
from services.api.routes.shapes import NoBody, NoQuery

_REF = "#/components/schemas/"


def describing(operations: Sequence[Operation[Any, Any]], version: str) -> Operations:
    """The endpoint that serves the document of `operations`."""
    documents = Operations("Documentation")
    body = msgspec.json.encode(openapi(operations, version))

    @documents.add(
        "GET",
        "/openapi.json",
        body=NoBody,
        query=NoQuery,
        answers={200: None},
        access=Access.OPEN,
    )
    async def get_openapi(_: Any) -> Response:
        """Get this document."""
        return answer(msgspec.Raw(body))

    return documents


def openapi(operations: Sequence[Operation[Any, Any]], version: str) -> dict[str, Any]:
    """Build the OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CueAPI", "version": version},
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(operation: Operation[Any, Any]) -> dict[str, Any]:
    name, words = operation.handler.__name__, operation.handler.__doc__ or ""
    described: dict[str, Any] = {
        "operationId": name,
        "summary": name.replace("_", " ").capitalize(),
        "description": words,
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation)],
        "responses": {
            **{str(status): _answer(status, m) for status, m in operation.answers.items()},
            "default": _answer(None, Envelope),
        },
        "security": [{"bearer": []}] if operation.access is Access.ACCOUNT else [],
    }
    if operation.body is not NoBody:
        reference = {"$ref": _REF + operation.body.__name__}
        described["requestBody"] = {"content": {"application/json": {"schema": reference}}}
    return described


def _path_parameters(path: str) -> Iterable[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            schema = {"type": "string"}
            yield {"name": part[1:-1], "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation[Any, Any]) -> Iterable[dict[str, Any]]:
    schema = operation.query.model_json_schema()
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in required, "schema": field}


def _answer(status: int | None, model: type[msgspec.Struct] | None) -> dict[str, Any]:
    words = HTTPStatus(status).phrase if status else "Refused, or failed"
    if model is None:
        return {"description": words}
    schema = {"$ref": _REF + model.__name__}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _schemas(operations: Sequence[Operation[Any, Any]]) -> dict[str, Any]:
    bodies = {each.body.__name__: each.body for each in operations if each.body is not NoBody}
    models = {m.__name__: m for each in operations for m in each.answers.values() if m}
    _, sent = models_json_schema(
        [(bodies[name], "validation") for name in sorted(bodies)], ref_template=_REF + "{model}"
    )
    _, answered = msgspec.json.schema_components(
        [Envelope, *(models[name] for name in sorted(models))], ref_template=_REF + "{name}"
    )
    return {**sent.get("$defs", {}), **answered}
