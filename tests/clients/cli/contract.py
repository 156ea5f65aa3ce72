"""Whether a request is one of the server's own endpoints, with fields that it knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx

from services.api.app import RESOURCES
from services.api.routes.operation import WITH_BODY, Operation


def faults(request: httpx.Request) -> Iterator[str]:
    """Tell what the server would not know of a request."""
    operation = _operation(request.method, request.url.path)
    asked = f"{request.method} {request.url.path}"
    if operation is None:
        yield f"{asked}: no such endpoint"
        return
    unknown = {*request.url.params} - {*operation.query.model_fields}
    yield from (f"{asked}: no such parameter: {name}" for name in sorted(unknown))
    if request.content and request.method in WITH_BODY:
        unknown = {*json.loads(request.content)} - {*_names(operation.body)}
        yield from (f"{asked}: no such field: {name}" for name in sorted(unknown))


def _names(body: Any) -> Iterator[str]:
    for name, field in body.model_fields.items():
        yield name
        yield from filter(None, [field.alias])


def _operation(method: str, path: str) -> Operation[Any, Any] | None:
    here = [each for form, each in _forms() if each.method == method and form.fullmatch(path)]
    literal = [each for each in here if each.path == path]
    return next(iter(literal or here), None)


@cache
def _forms() -> list[tuple[re.Pattern[str], Operation[Any, Any]]]:
    operations = [operation for resource in RESOURCES for operation in resource.all]
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", o.path)), o) for o in operations]
