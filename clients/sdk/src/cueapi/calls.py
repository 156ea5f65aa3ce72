"""A call of the API as a value: what to send, and how to read the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast

from cueapi.values import jsonable

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, not yet sent, and `parse`, which makes the result of the answer's JSON.

    `path` starts with `/v1/` and is quoted; `json` is sent if it is not None. `accept` are
    statuses outside 2xx that are answers, not refusals. `timeout` is in seconds, None for the
    client's own. `retried` false sends it once. `idempotency_key` is the caller's own.
    """

    method: str
    path: str
    parse: Callable[[Any], T]
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    accept: frozenset[int] = frozenset()
    timeout: float | None = None
    retried: bool = True
    idempotency_key: str | None = None

    def then(self, follow: Callable[[T], Call[U]]) -> Call[U]:
        """Make a call out of the result of this one, to be sent after it."""
        # Whoever performs a call goes on while the result is itself a call.
        return replace(cast("Call[Any]", self), parse=lambda document: follow(self.parse(document)))


def query(**fields: Any) -> dict[str, str]:
    """Make query parameters of those that are not None. Raises ValueError for a naive datetime."""
    return {name: _text(value) for name, value in fields.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(each) for each in value)
    return str(jsonable(value))


def nothing(_: Any) -> None:
    """Read an answer that holds nothing."""


def anything(document: Any) -> Any:
    """Read an answer as the JSON that it is."""
    return document
