"""docs/reference/messages.md: the events and commands of the AsyncAPI document, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any

from tests.docs.schema_words import fields_of

Json = Mapping[str, Any]
_INTRODUCTION = """\
# Messages

What the services say to each other, and what the [event log](../concepts/event-log.md) is made of.
Users see the events in timelines and in the live stream; the commands are for people who work on
the server. The same for machines: [asyncapi.json](asyncapi.json).

<!-- Made of the AsyncAPI document by `python -m tests.contract.reference`; don't edit. -->
"""


def messages_page(document: Json) -> str:
    """The page."""
    messages = document["components"]["messages"]
    schemas = document["components"]["schemas"]
    events = [each for each in messages.values() if "$ref" in each["payload"]]
    commands = [each for name, each in messages.items() if f"{name}Reply" in messages]
    lines = [_INTRODUCTION, "## Events"]
    for message in sorted(events, key=_name):
        lines += _message(message, schemas, message["examples"][0]["payload"])
    lines.append("\n## Commands")
    for message in sorted(commands, key=_name):
        lines += _message(message, schemas, message["examples"][0]["payload"]["command"])
    return "\n".join(lines).rstrip() + "\n"


def _name(message: Json) -> str:
    return str(message["name"])


def _message(message: Json, schemas: Json, example: Json) -> Iterator[str]:
    yield f"\n### {_name(message)}\n"
    yield cleandoc(message["summary"])
    rows = list(fields_of(schemas[_name(message)], {}))
    if rows:
        yield "\n| field | type | |\n|---|---|---|"
    for row in rows:
        must = "required" if row.required else ""
        yield f"| `{row.name}` | {row.words} | {must} |"
    yield "\n```json\n" + json.dumps(example, indent=2, ensure_ascii=False) + "\n```"
