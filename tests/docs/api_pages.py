"""The pages in docs/reference/api/: one for each tag of the OpenAPI document, one for objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from tests.docs.schema_words import fields_of, title_of, words_of

Json = Mapping[str, Any]
_MADE = "<!-- Made of openapi.json by `python -m tests.contract.reference`; don't edit. -->"
_CODE = re.compile(r"^- `(\w+)`", re.MULTILINE)
_ERRORS = "../errors.md"
# Told once, on the reference's first page, instead of at every call.
COMMON = frozenset(
    {
        "invalid_api_key",
        "invalid_session",
        "key_revoked",
        "key_rotated",
        "session_expired",
        "request_too_large",
        "rate_limit_exceeded",
        "internal_error",
        "service_unavailable",
    }
)
# Its one page is written for people already: the errors.
_LEFT_OUT = "Reference"


def api_pages(document: Json) -> dict[str, str]:
    """Every page by its file's name below docs/reference/."""
    pages = {
        f"api/{tag['name'].lower().replace(' ', '-')}.md": _page(tag, document)
        for tag in document["tags"]
        if tag["name"] != _LEFT_OUT
    }
    return {**pages, "api/objects.md": _objects(document["components"]["schemas"])}


def _page(tag: Json, document: Json) -> str:
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    ]
    lines = [f"# {tag['name']}", "", tag["description"], "", _MADE, "", "| | |", "|---|---|"]
    for method, path, operation in operations:
        title = operation["summary"]
        anchor = title.lower().replace(" ", "-")
        lines.append(f"| [{title}](#{anchor}) | `{method.upper()} {path}` |")
    for method, path, operation in operations:
        lines += ["", *_operation(method.upper(), path, operation, document)]
    return "\n".join(lines) + "\n"


def _operation(method: str, path: str, operation: Json, document: Json) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    public = "" if operation.get("security") else " · no key needed"
    yield f"## {operation['summary']}"
    yield f"\n`{method} {path}`{public}"
    yield f"\n{cleandoc(operation['description'])}"
    yield from _parameters(operation)
    yield from _body(operation, schemas)
    yield from _answers(operation)
    yield from _refusals(operation)


def _parameters(operation: Json) -> Iterator[str]:
    rows = [each for each in operation["parameters"] if each["in"] in ("path", "query")]
    if rows:
        yield "\n| parameter | | type | |\n|---|---|---|---|"
    for each in rows:
        schema = {k: v for k, v in each["schema"].items() if k != "pattern"}
        default = f"; default `{schema['default']}`" if "default" in schema else ""
        told = each.get("description", "")
        yield f"| `{each['name']}` | {each['in']} | {words_of(schema)}{default} | {told} |"


def _body(operation: Json, schemas: Json) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for media, said in content.items():
        schema = said["schema"]
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        rows = list(fields_of(schema, schemas))
        if rows:
            yield "\n| field | type | |\n|---|---|---|"
        for row in rows:
            must = "required" if row.required else ""
            # In a body null is as good as nothing, which the first page of the reference says.
            yield f"| `{row.name}` | {row.words.replace(' or null', '')} | {must} |"
        if "example" in said and media == "application/json":
            yield "\n```json\n" + _shown(said["example"]) + "\n```"


def _answers(operation: Json) -> Iterator[str]:
    for status, told in sorted(operation["responses"].items()):
        if not status.startswith("2"):
            continue
        content = told.get("content", {})
        names = [words_of(said["schema"], "objects.md") for said in content.values() if said]
        named = f": {names[0]}" if names and names[0].startswith("[") else ""
        yield f"\nAnswers **{status} {HTTPStatus(int(status)).phrase}**{named}"
        for media, said in content.items():
            if media == "application/json" and "example" in said:
                yield "\n```json\n" + _shown(said["example"]) + "\n```"


def _refusals(operation: Json) -> Iterator[str]:
    codes = [
        (status, code)
        for status, told in sorted(operation["responses"].items())
        for code in _CODE.findall(told.get("description", ""))
        if code not in COMMON
    ]
    if codes:
        links = ", ".join(f"{status} [{code}]({_ERRORS}#{code})" for status, code in codes)
        yield f"\nRefuses with {links}."


def _objects(schemas: Json) -> str:
    lines = ["# Objects", "", "What answers are made of. Every key is always there.", "", _MADE]
    answers = {name: schema for name, schema in schemas.items() if name.endswith("Wire")}
    for name, schema in sorted(answers.items()):
        lines += ["", f"## {title_of(name)}"]
        if "description" in schema:
            lines += ["", cleandoc(schema["description"])]
        lines += ["", "| field | type |", "|---|---|"]
        for field, told in schema.get("properties", {}).items():
            lines.append(f"| `{field}` | {words_of(told, '')} |")
    return "\n".join(lines) + "\n"


def _shown(example: Any) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)
