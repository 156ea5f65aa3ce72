"""JSON schemas in words, for tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
_REF = "#/components/schemas/"


class Row(NamedTuple):
    """One field: its name with dots, its type and bounds in words, and whether it must be there."""

    name: str
    words: str
    required: bool


def words_of(schema: Schema, objects: str | None = None) -> str:
    """The type and its bounds. `objects` is the page to which names of objects lead."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return f"[{title_of(name)}]({objects}#{title_of(name).lower()})" if objects else "object"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(words_of(each, objects) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    return _simple(schema, objects)


def _simple(schema: Schema, objects: str | None) -> str:
    match schema.get("type"):
        case "array":
            return f"list of {words_of(schema.get('items', {}), objects)}"
        case "string":
            kind = {"date-time": "time", "uri": "URL", "email": "address"}
            name = kind.get(str(schema.get("format")), "text")
            return name + _range(schema, "minLength", "maxLength", " characters")
        case "integer":
            return "integer" + _range(schema, "minimum", "maximum", "")
        case None:
            return "any"
        case kind:
            return str(kind)


def _range(schema: Schema, least: str, most: str, unit: str) -> str:
    low, high = schema.get(least), schema.get(most)
    if high is None:
        return "" if low is None else f", {low:,} or more{unit}"
    return f", {low:,} to {high:,}{unit}" if low is not None else f", up to {high:,}{unit}"


def fields_of(schema: Schema, known: Mapping[str, Schema], prefix: str = "") -> Iterator[Row]:
    """The fields of an object, with those of the objects in it."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield Row(f"{prefix}{name}", words_of(field) + _default(field), name in required)
        inner = _object_in(field, known)
        if inner is not None:
            yield from fields_of(inner, known, f"{prefix}{name}.")


def _default(field: Schema) -> str:
    default = field.get("default")
    if default is None or isinstance(default, dict):
        return ""
    shown = str(default).lower() if isinstance(default, bool) else default
    return f"; default `{shown}`"


def _object_in(field: Schema, known: Mapping[str, Schema]) -> Schema | None:
    for each in (field, *field.get("anyOf", ())):
        if "$ref" in each:
            return known.get(each["$ref"].removeprefix(_REF))
    return None


def title_of(name: str) -> str:
    """What an object is called on its page: `CueWire` is a Cue."""
    return name.removesuffix("Wire").removesuffix("Body")
