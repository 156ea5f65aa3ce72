"""What the endpoints take and answer, for `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from typing_extensions import override

from services.api.errors import Envelope
from services.api.routes.shapes import Body, NoBody, Query

_REF = "#/components/schemas/"


class Access(Enum):
    """Who may call: an account; everybody, limited by address; everybody, always."""

    ACCOUNT = "account"
    STRANGERS = "strangers"
    OPEN = "open"


class Documented(NamedTuple):
    """An endpoint as its readers see it."""

    method: str
    path: str
    body: type[Body]
    query: type[Query]
    answers: Mapping[int, type[msgspec.Struct] | None]
    access: Access


# Filled once, as the route modules are imported.
_BODIES: set[type[BaseModel]] = set()
_ANSWERS: set[type[msgspec.Struct]] = {Envelope}


def described(endpoint: Documented) -> dict[str, Any]:
    """Describe an endpoint in OpenAPI's words, and note its models for the components."""
    _ANSWERS.update(model for model in endpoint.answers.values() if model is not None)
    extra: dict[str, Any] = {
        "parameters": _parameters(endpoint),
        "responses": {
            **{str(status): _answer(status, model) for status, model in endpoint.answers.items()},
            "default": _answer(None, Envelope),
        },
        "security": [{"bearer": []}] if endpoint.access is Access.ACCOUNT else [],
    }
    if endpoint.body is not NoBody:
        _BODIES.add(endpoint.body)
        extra["requestBody"] = {
            "content": {"application/json": {"schema": {"$ref": _REF + endpoint.body.__name__}}}
        }
    return extra


def _parameters(endpoint: Documented) -> list[dict[str, Any]]:
    in_path = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    schema = endpoint.query.model_json_schema()
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in in_path
    ] + [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": field,
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _answer(status: int | None, model: type[msgspec.Struct] | None) -> dict[str, Any]:
    words = HTTPStatus(status).phrase if status else "Refused, or failed"
    if model is None:
        return {"description": words}
    schema = {"$ref": _REF + model.__name__}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


class Api(FastAPI):
    """FastAPI, whose document also holds the models of bodies and answers."""

    @override
    def openapi(self) -> dict[str, Any]:
        """Build the OpenAPI 3.1 document once."""
        if self.openapi_schema is None:
            document = super().openapi()
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schemas())
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            self.openapi_schema = document
        return self.openapi_schema


def _schemas() -> dict[str, Any]:
    bodies = sorted(_BODIES, key=lambda model: model.__name__)
    _, sent = models_json_schema(
        [(model, "validation") for model in bodies], ref_template=_REF + "{model}"
    )
    _, answered = msgspec.json.schema_components(
        sorted(_ANSWERS, key=lambda model: model.__name__), ref_template=_REF + "{name}"
    )
    return {**sent.get("$defs", {}), **answered}
