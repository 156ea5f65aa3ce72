"""What goes into a request: values left out, instants, and models as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from cueapi.models.model import Model
from cueapi.overriding import override

T = TypeVar("T")

JsonObject: TypeAlias = Mapping[str, Any]
Instant: TypeAlias = "datetime | str"


class NotGiven(Enum):
    """The type of `NOT_GIVEN`."""

    NOT_GIVEN = "NOT_GIVEN"

    def __bool__(self) -> bool:
        """Be false, so that `value or default` works."""
        return False

    @override
    def __repr__(self) -> str:
        """Read as it is written."""
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
"""Leaves a field as it is, where None would set it back to its default."""


def given(**fields: Any) -> dict[str, Any]:
    """Keep the fields that were given, as JSON; raises ValueError for a naive datetime."""
    return {k: jsonable(v) for k, v in fields.items() if v is not NOT_GIVEN}


def present(**fields: Any) -> dict[str, Any]:
    """Keep the fields that are not None, as JSON; raises ValueError for a naive datetime."""
    return {name: jsonable(value) for name, value in fields.items() if value is not None}


def jsonable(value: Any) -> Any:
    """Write models and datetimes as the API reads them; leave the rest."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return instant(value)
    return value


def instant(value: Instant) -> str:
    """Write an instant in RFC 3339. Raises ValueError for a datetime without a zone.

    A server would have to guess which clock a naive datetime was read from.
    """
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no timezone: use datetime.now(timezone.utc), or a string")
    return value.isoformat()


def segment(value: object) -> str:
    """Quote a value as one segment of a path. Raises ValueError if it is empty.

    An empty id would silently address the collection instead of the resource.
    """
    text = str(value)
    if not text:
        raise ValueError("an id must not be empty")
    if text in (".", ".."):
        raise ValueError(f"{text!r} is no id")
    return quote(text, safe="")
