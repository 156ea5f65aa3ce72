"""The call that a tool means, as the SDK sends it: the answer stays the JSON that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cueapi.calls import Call, anything, query


def read(path: str, **filters: Any) -> Call[Any]:
    """GET; filters that are None are left out."""
    return Call("GET", path, anything, query=query(**filters))


def write(
    method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
) -> Call[Any]:
    """Change something: POST, PATCH or DELETE."""
    return Call(method, path, anything, json=body, headers=headers or {})


def given(**fields: Any) -> dict[str, Any]:
    """Keep the fields that were given: those which are not None."""
    return {name: value for name, value in fields.items() if value is not None}
