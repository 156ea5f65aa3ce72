"""The shape of what is sent: base models, reusable fields, and faults by their place."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import override

from services.api.errors import Detail
from services.api.routes.faults import said
from services.api.rules.timestamps import parse_instant, parse_timestamp

MAX_OFFSET = 2**31 - 1

_WHOLE = re.compile(r"\d{1,12}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A JSON object whose unknown fields are refused. `free` names its free-form objects."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    free: ClassVar[frozenset[str]] = frozenset()


class Wish(Body):
    """A body in which `null` is the same as absent: all but PATCH (contract §1)."""

    @override
    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell that what may be absent may be null as well."""
        schema = handler(core)
        told = handler.resolve_ref_schema(schema)
        required = told.get("required", ())
        for name, field in told.get("properties", {}).items():
            if name not in required:
                told["properties"][name] = _or_null(field)
        return schema

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, sent: Any) -> Any:
        if not isinstance(sent, dict) or None not in sent.values():
            return sent
        known = cls.model_fields
        return {key: value for key, value in sent.items() if value is not None or key not in known}


class Changes(Body):
    """What to change: only the fields that were sent count, and the defaults are never used."""

    @override
    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell no defaults: what is absent stays as it is."""
        schema = handler(core)
        for field in handler.resolve_ref_schema(schema).get("properties", {}).values():
            field.pop("default", None)
        return schema


class Lenient(Wish):
    """A wish whose unknown fields are ignored: the calls that released workers make."""

    model_config = ConfigDict(extra="ignore")


class NoFields(Wish):
    """A body, but nothing in it."""


class NoBody(Body):
    """What is sent as a body is not looked at: GET and DELETE."""


class Query(BaseModel):
    """Query parameters: all texts, unknown ones ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class NoQuery(Query):
    """No parameter at all."""


def _whole(text: Any) -> int:
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ValueError("must be a whole number")
    return int(text)


def _integral(number: Any) -> Any:
    # JSON has one kind of number: 3.0 is an integer to JSON Schema, and so to whoever reads ours.
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _or_null(field: dict[str, Any]) -> dict[str, Any]:
    kinds = field.get("anyOf", [field])
    if any(kind.get("type") == "null" for kind in kinds):
        return field
    outside = ("title", "default", "description")
    around = {key: value for key, value in field.items() if key in outside}
    inside = {key: value for key, value in field.items() if key not in outside}
    return {"anyOf": [*inside.get("anyOf", [inside]), {"type": "null"}], **around}


def _boolean(text: Any) -> bool:
    if text not in _BOOLEANS:
        raise ValueError("must be true or false")
    return _BOOLEANS[text]


def _instant(text: Any) -> datetime:
    return parse_instant(_as_text(text))


def _moment(text: Any) -> datetime:
    return _with_a_tomorrow(parse_timestamp(_as_text(text)))


def _future_instant(text: Any) -> datetime:
    return _with_a_tomorrow(parse_instant(_as_text(text)))


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a timestamp in a string")
    return value


def _with_a_tomorrow(moment: datetime) -> datetime:
    # Whatever is planned is compared with and moved by hours, which the last day has not.
    if moment.year in (1, 9999):
        raise ValueError("must lie in the years 2 to 9998")
    return moment


PageLimit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)]
PageOffset = Annotated[int, Field(ge=0, le=MAX_OFFSET), BeforeValidator(_whole)]
QueryFlag = Annotated[bool, BeforeValidator(_boolean)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A timestamp; one without an offset is UTC."""
FutureInstant = Annotated[datetime, BeforeValidator(_future_instant)]
"""As `Instant`, for something to be planned."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A timestamp to be planned; naive when it came without an offset."""
INTEGRAL = BeforeValidator(_integral)
"""Beside the bounds of a whole number in a body: `3.0` is one, `3.5` and `"3"` are none."""
WorkerId = Annotated[str, StringConstraints(min_length=1, max_length=255)]


def trimmed(longest: int) -> Any:
    """A text that is not blank and, without blanks around it, at most `longest` characters."""
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


def _not_here(message: str) -> Any:
    def refuse(_: Any) -> Any:
        raise ValueError(message)

    return refuse


def misplaced(message: str) -> Any:
    """A field that must not be sent here; `message` says where it belongs."""
    return BeforeValidator(_not_here(message))


def checked(model: type[Model], sent: Any, where: str) -> Model | list[Detail]:
    """Validate what was sent; the faults have `where` (`body`, `query`) in front of their path."""
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        return [
            Detail(".".join([where, *map(str, fault["loc"])]), said(fault, model.model_fields))
            for fault in error.errors(include_url=False, include_input=False)
        ]
