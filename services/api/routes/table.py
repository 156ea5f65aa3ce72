"""Which operation a method and a path mean; literal paths win over templates (contract §1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from services.api.errors import ApiError
from services.api.routes.operation import Operation

Methods = dict[str, Operation[Any, Any]]


class Found(NamedTuple):
    """An operation, and the parts of its path by name."""

    operation: Operation[Any, Any]
    path_params: dict[str, str]


class Table:
    """All operations by path and method."""

    def __init__(self, operations: Sequence[Operation[Any, Any]]) -> None:
        self._literal: dict[str, Methods] = {}
        self._templates: dict[re.Pattern[str], Methods] = {}
        for operation in operations:
            if "{" in operation.path:
                methods = self._templates.setdefault(_pattern(operation.path), {})
            else:
                methods = self._literal.setdefault(operation.path, {})
            methods[operation.method] = operation

    def find(self, method: str, path: str) -> Found:
        """Find an operation. Raises ApiError: no such path, or no such method there."""
        methods = self._literal.get(path)
        if methods is not None:
            return Found(_with_method(methods, method), {})
        for pattern, methods in self._templates.items():
            match = pattern.fullmatch(path)
            if match is not None:
                return Found(_with_method(methods, method), match.groupdict())
        raise ApiError("not_found", "there is nothing at this path")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _with_method(methods: Methods, method: str) -> Operation[Any, Any]:
    operation = methods.get(method)
    if operation is None:
        allowed = {"Allow": ", ".join(sorted(methods))}
        message = f"{method} is not a method of this path"
        raise ApiError("method_not_allowed", message, headers=allowed)
    return operation
