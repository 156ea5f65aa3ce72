"""The server's OpenAPI document, and whether a request is what it describes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import httpx
from jsonschema import Draft202012Validator

from services.api.app import RESOURCES
from services.api.routes.documents import Api
from services.api.routes.gate import Gate
from services.api.routes.ports import Ports
from services.api.routes.route import OperationRoute


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    about: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path)))

    def schema(self, status: str) -> dict[str, Any] | None:
        content = self.about["responses"].get(status, {}).get("content", {})
        schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        return schema


@dataclass
class Document:
    """The document; `reached` are the operations for which a request was checked."""

    document: dict[str, Any]
    reached: dict[str, list[httpx.Request]] = field(default_factory=dict)

    @property
    def operations(self) -> list[Operation]:
        return [
            Operation(method.upper(), path, about)
            for path, methods in self.document["paths"].items()
            for method, about in methods.items()
        ]

    def properties(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The fields of an answer."""
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return dict(self.document["components"]["schemas"][name]["properties"])

    def operation_of(self, request: httpx.Request) -> Operation:
        """Find what a request asks for; literal paths win. AssertionError if there is nothing."""
        path = request.url.raw_path.decode().partition("?")[0]
        found = [
            each
            for each in self.operations
            if each.method == request.method and each.pattern.fullmatch(path)
        ]
        assert found, f"the server has no {request.method} {path}"
        return min(found, key=lambda each: each.path.count("{"))

    def check(self, request: httpx.Request) -> Operation:
        """Assert that a request is what the document describes."""
        operation = self.operation_of(request)
        self.reached.setdefault(operation.name, []).append(request)
        declared = {p["name"]: p for p in operation.about["parameters"] if p["in"] == "query"}
        for name, text in request.url.params.items():
            assert name in declared, f"{operation.name} has no query parameter {name}"
            self._validate(_read(text, declared[name]["schema"]), declared[name]["schema"])
        missing = {n for n, p in declared.items() if p["required"]} - set(request.url.params)
        assert not missing, f"{operation.name} needs {missing}"
        self._check_body(operation, request.content)
        return operation

    def _check_body(self, operation: Operation, content: bytes) -> None:
        described = operation.about.get("requestBody")
        if described is None:
            assert content in (b"", b"{}"), f"{operation.name} takes no body"
            return
        self._validate(json.loads(content), described["content"]["application/json"]["schema"])

    def _validate(self, value: Any, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self.document["components"]}
        Draft202012Validator(whole).validate(value)


@cache
def server_document() -> dict[str, Any]:
    """The document of the server's routes, which are described without what they run on."""
    operations = [operation for resource in RESOURCES for operation in resource.all]
    ports, gate = cast("Ports", None), cast("Gate", None)
    routes = [OperationRoute(operation, ports, gate) for operation in operations]
    return dict(Api(operations, title="CueAPI", version="1", routes=routes).openapi())


def _read(text: str, schema: dict[str, Any]) -> Any:
    """A query parameter as the type that its schema names."""
    types = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    if "boolean" in types:
        return {"true": True, "false": False}[text]
    return int(text) if "integer" in types else text
