"""Words that several answers share."""

from __future__ import annotations

from typing import Annotated

import msgspec

Timestamp = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
AnyObject = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]
"""A free-form object, as the bytes in which it is stored."""

AnyObjectOrNull = Annotated[
    msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["object", "null"]})
]
AnyListOrNull = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["array", "null"]})]

NULL = msgspec.Raw(b"null")
EMPTY_OBJECT = msgspec.Raw(b"{}")


class Wire(msgspec.Struct, kw_only=True):
    """An answer: every key is always there."""


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace that a W3C `traceparent` belongs to."""
    return traceparent.split("-")[1] if traceparent else None
