"""The messages in AsyncAPI's words: subjects, who sends and who receives, schemas and examples.

Everything is read off the code, so that the document can't tell of what does not exist:
`python -m libs.events asyncapi > docs/reference/asyncapi.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from libs.events.answers import ANSWERS
from libs.events.base import Command, Event
from libs.events.envelope import CommandEnvelope, Meta, Notice, Reply, schema_version
from libs.events.examples import EXAMPLES
from libs.events.streams import CATEGORIES, CATEGORY_OF_EVENT, EVENT_TYPES
from libs.events.subjects import (
    CALLED,
    COMMAND_TYPES,
    OWNER,
    REACTIONS,
    call_subject,
    command_subject,
    event_subject,
)

VERSION = "1.0.0"
_REF = "#/components/schemas/"
_LOG = "log"
_INBOX = "reply"
_JSON = "application/json"
_EXAMPLE_ID = "0195f0a0-0000-7000-8000-00000000ffff"
_META = Meta(correlation_id="01a2102f-b219-719d-9477-5ae48514a3bc", actor="key:ci-server")


def document(version: str = VERSION) -> dict[str, Any]:
    """The AsyncAPI 3.0 document of this release."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CueAPI messages",
            "version": version,
            "description": "Commands go to the one service that decides them, and are answered."
            " Events are facts in the log, which is the truth; a notice says that one is there."
            " The broker may lose everything: commands are sent again, notices are published anew.",
        },
        "defaultContentType": _JSON,
        "servers": {"nats": {"host": "localhost:4222", "pathname": "", "protocol": "nats"}},
        "channels": {
            **{name: _command_channel(kind) for name, kind in COMMAND_TYPES.items()},
            **{name: _notice_channel(name) for name in EVENT_TYPES},
            _LOG: _log_channel(),
            _INBOX: _reply_channel(),
        },
        "operations": dict(_operations()),
        "components": {"messages": dict(_messages()), "schemas": _schemas()},
    }


def as_json() -> str:
    """The document as a file."""
    written = msgspec.json.format(msgspec.json.encode(document()), indent=1)
    return written.decode() + "\n"


def _command_channel(kind: type[Command]) -> dict[str, Any]:
    name, called = kind.__name__, kind in CALLED
    subject = call_subject(kind) if called else command_subject(kind)
    kept = "one replica at once, or nobody" if called else "a work queue, kept for 30 seconds"
    return {
        "address": subject,
        "description": f"{_promise(kind)} Brought to {_owner(kind)}: {kept}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _notice_channel(name: str) -> dict[str, Any]:
    return {
        "address": event_subject(name),
        "description": f"Says that a {name} is in the log: {_promise(EVENT_TYPES[name])}",
        "messages": {f"{name}Notice": {"$ref": f"#/components/messages/{name}Notice"}},
    }


def _log_channel() -> dict[str, Any]:
    return {
        "address": None,
        "title": "The log",
        "description": "The table `events` in Postgres: what the notices point to.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in EVENT_TYPES},
    }


def _reply_channel() -> dict[str, Any]:
    return {
        "address": None,
        "title": "The caller's inbox",
        "description": "The subject that a command names in `reply_to`.",
        "messages": {
            f"{name}Reply": {"$ref": f"#/components/messages/{name}Reply"} for name in COMMAND_TYPES
        },
    }


def _operations() -> Iterable[tuple[str, Any]]:
    for name, kind in COMMAND_TYPES.items():
        yield (
            f"{_owner(kind)}-decides-{name}",
            {
                "action": "receive",
                "summary": _promise(kind),
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
                "reply": {
                    "address": {"location": "$message.payload#/reply_to"},
                    "channel": {"$ref": f"#/channels/{_INBOX}"},
                    "messages": [{"$ref": f"#/channels/{_INBOX}/messages/{name}Reply"}],
                },
            },
        )
    for name in EVENT_TYPES:
        yield f"relay-publishes-{name}", _notice_operation(name, "send")
    for service, names in REACTIONS.items():
        for name in names:
            yield f"{service}-reacts-to-{name}", _notice_operation(name, "receive")


def _notice_operation(name: str, action: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}Notice"}],
    }


def _messages() -> Iterable[tuple[str, Any]]:
    for name, command in COMMAND_TYPES.items():
        yield name, _command_message(name, command)
        yield f"{name}Reply", _reply_message(name, ANSWERS[command])
    for name, event in EVENT_TYPES.items():
        yield name, _event_message(name, event)
        yield f"{name}Notice", _notice_message(name)


def _command_message(name: str, kind: type[Command]) -> dict[str, Any]:
    shown = CommandEnvelope(
        id=_EXAMPLE_ID,
        type=name,
        command=msgspec.Raw(msgspec.json.encode(EXAMPLES[kind])),
        meta=_META,
        reply_to="_INBOX.3kQ9",
    )
    narrowed = {"type": {"const": name}, "command": {"$ref": _REF + name}}
    return _message(name, _promise(kind), CommandEnvelope, narrowed, shown)


def _reply_message(name: str, answer: type[msgspec.Struct]) -> dict[str, Any]:
    narrowed = {"answer": {"anyOf": [{"$ref": _REF + answer.__name__}, {"type": "null"}]}}
    summary = f"The answer to {name}: what was accepted, or the code of the refusal."
    return _message(f"{name}Reply", summary, Reply, narrowed, None)


def _event_message(name: str, kind: type[Event]) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": _promise(kind),
        "description": f"In a stream of the category {CATEGORY_OF_EVENT[name]};"
        f" schema version {schema_version(name)}.",
        "payload": {"$ref": _REF + name},
        "examples": [{"payload": _plain(EXAMPLES[kind])}],
    }


def _notice_message(name: str) -> dict[str, Any]:
    category = CATEGORIES[CATEGORY_OF_EVENT[name]].name
    shown = Notice(
        id=_EXAMPLE_ID,
        type=name,
        stream_id=f"{category}-{_EXAMPLE_ID}",
        version=2,
        account_id="0195f0a0-0000-7000-8000-00000000acc0",
        recorded_at=EXAMPLES[EVENT_TYPES[name]].at,  # type: ignore[union-attr]
    )
    narrowed = {"type": {"const": name}}
    summary = f"That a {name} is in the log. Who reacts reads the row again."
    return _message(f"{name}Notice", summary, Notice, narrowed, shown)


def _message(
    name: str,
    summary: str,
    envelope: type[msgspec.Struct],
    narrowed: Mapping[str, Any],
    shown: msgspec.Struct | None,
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": name,
        "title": name,
        "summary": summary,
        "payload": {"allOf": [{"$ref": _REF + envelope.__name__}, {"properties": narrowed}]},
    }
    if shown is not None:
        told["examples"] = [{"payload": _plain(shown)}]
    return told


def _schemas() -> dict[str, Any]:
    kinds: list[type[msgspec.Struct]] = [CommandEnvelope, _reply_as_schema(), Notice]
    kinds += [*COMMAND_TYPES.values(), *EVENT_TYPES.values()]
    kinds += sorted(set(ANSWERS.values()), key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF + "{name}")
    return schemas


def _reply_as_schema() -> type[msgspec.Struct]:
    # msgspec can't tell a schema of raw bytes that are absent by default.
    fields = [
        (field.name, Any, None)
        if field.type is msgspec.Raw
        else (field.name, field.type)
        if field.required
        else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(Reply)
    ]
    return msgspec.defstruct(Reply.__name__, fields, namespace={"__doc__": Reply.__doc__})


def _owner(kind: type[Command]) -> str:
    return OWNER[kind] if kind in OWNER else CALLED[kind]


def _promise(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _plain(message: msgspec.Struct) -> Any:
    return msgspec.json.decode(msgspec.json.encode(message))
