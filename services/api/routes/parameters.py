"""What is sent and answered beside the bodies: parts of the path, query, headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from services.api.routes.examples.words import (
    ALERT,
    CUE,
    DUE,
    EXECUTION,
    KEY,
    SECRET,
    WORKER,
)
from services.api.routes.operation import Access, Operation

_CUE_ID = {"type": "string", "pattern": "^cue_[a-z0-9]{12}$"}
_UUID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string", "minLength": 1}
_VERSIONED = ("CueWire", "CueWithExecutionsWire")

_PARTS: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "cue_id": (_CUE_ID, "The cue. An id of another form is answered like an unknown one.", CUE),
    "execution_id": (_UUID, "The execution.", EXECUTION),
    "alert_id": (_UUID, "The alert.", ALERT),
    "key_id": (_UUID, "The key's id, which is not the key itself.", KEY),
    "ticket_id": ({"type": "string", "pattern": "^[1-9][0-9]*$"}, "The ticket's number.", "14"),
    "worker_id": (_TEXT, "The worker's own name for itself.", WORKER),
    "token": ({"type": "string", "minLength": 16, "maxLength": 255}, "A secret word.", SECRET),
}

_QUERY: Mapping[str, tuple[str, Any]] = {
    "limit": ("How many to answer at most.", 20),
    "offset": ("How many to pass over, newest first.", 0),
    "execution_limit": ("How many of its executions to answer at most.", 10),
    "execution_offset": ("How many of its executions to pass over, newest first.", 0),
    "status": ("Only those with this status.", None),
    "ticket_status": ("Only tickets with this status.", "open"),
    "status__in": ("Only those with one of these statuses; commas between them.", "failed,missed"),
    "outcome_state": ("Only those with this outcome state.", "verification_failed"),
    "triggered_by": ("Only those made by this.", "scheduled"),
    "worker_id": ("Only those held by this worker.", WORKER),
    "result_type": ("Only those with this result type.", "report"),
    "has_evidence": ("Only those with evidence, or without any.", True),
    "cue_id": ("Only those of this cue.", CUE),
    "execution_id": ("Only those of this execution.", EXECUTION),
    "alert_type": ("Only alerts of this type.", "consecutive_failure"),
    "acknowledged": ("Only alerts that were acknowledged, or that were not.", False),
    "since": ("Nothing earlier than this; without an offset it is UTC.", "2026-03-28T00:00:00Z"),
    "until": ("Nothing later than this; without an offset it is UTC.", "2026-03-29T00:00:00Z"),
    "as_of": ("Answer as things stood at this instant.", DUE),
    "at": ("The minute to look at.", DUE),
    "task": ("Only payloads whose `task` is this.", "sync_data"),
    "agent": ("Only payloads whose `agent` is this.", "mailer"),
    "type": ("Only events of this type.", "OutcomeReported"),
    "last_event_id": ("Go on after this event; the header `Last-Event-ID` says the same.", "1042"),
    "code": ("The device code to show.", "ABCD-EFGH"),
    "token": ("The token of the mailed link.", SECRET),
    "device_code": ("The sign-in's code.", "ABCD-EFGH"),
    "return_to": ("Where to go after the sign-in; its host must be allowed here.", None),
    "state": ("Given back to `return_to` as it is.", "af0ifjsldkj"),
}


def path_parameters(path: str) -> Iterable[dict[str, Any]]:
    """The parts of a path."""
    for part in path.split("/"):
        if part.startswith("{"):
            name = part[1:-1]
            schema, description, example = _PARTS.get(name, (_TEXT, "", "x"))
            yield {
                "name": name,
                "in": "path",
                "required": True,
                "description": description,
                "schema": schema,
                "example": example,
            }


def query_parameters(operation: Operation[Any, Any]) -> Iterable[dict[str, Any]]:
    """The query; values that the schema does not bound are told by the endpoint's refusals."""
    schema = operation.query.model_json_schema()
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        description, example = _QUERY.get(name, ("", None))
        told = {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": description,
            "schema": _without_null(field),
        }
        yield told if example is None else {**told, "example": example}


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    # A parameter is absent or a text; it cannot be null.
    kinds = [kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else field


def header_parameters(operation: Operation[Any, Any]) -> Iterable[dict[str, Any]]:
    """The headers that an endpoint reads, beside `Authorization`."""
    codes = set(operation.refusals())
    if "idempotency_key_conflict" in codes:
        yield _header(
            "Idempotency-Key",
            "Makes repeating safe: for 24 hours the same key, method and path give the first"
            " answer again, with the header `Idempotent-Replayed: true`.",
            {"type": "string", "pattern": "^[!-~]{1,256}$"},
            "5f0c1d2e-briefing",
        )
    if "precondition_failed" in codes:
        yield _header(
            "If-Match",
            "The ETag that the cue must still have; else 412 `precondition_failed`.",
            {"type": "string"},
            '"3"',
        )
    if "confirmation_required" in codes:
        yield _header(
            "X-Confirm-Destructive",
            "`true`, to say that you know what this ends. Only bulk deletion demands it.",
            {"type": "string"},
            "true",
        )
    if "not_execution_owner" in codes:
        yield _header(
            "X-Worker-Id",
            "The worker that holds the execution; `worker_id` in the body says the same.",
            {"type": "string", "maxLength": 255},
            WORKER,
        )


def _header(name: str, description: str, schema: dict[str, Any], example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": schema,
        "example": example,
    }


HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The request's id: yours, if you sent one, else ours. Name it to support.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    },
    "X-RateLimit-Limit": {
        "description": "Requests that the plan allows in any 60 seconds.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Remaining": {
        "description": "How many of them are left.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Reset": {
        "description": "Unix seconds at which all are there again; on 429, at which one is.",
        "schema": {"type": "integer"},
    },
    "X-CueAPI-Usage-Warning": {
        "description": "From 80 % and from 100 % of the month's executions.",
        "schema": {"type": "string", "enum": ["approaching_limit", "limit_reached"]},
    },
    "Idempotent-Replayed": {
        "description": "This answer was given before, to the same `Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
    },
    "ETag": {
        "description": "The cue's version, for `If-Match`.",
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    },
    "Retry-After": {
        "description": "Whole seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


def answer_headers(
    operation: Operation[Any, Any], model: type[msgspec.Struct] | None
) -> dict[str, Any]:
    """The headers of an answer."""
    names = [*_always(operation)]
    if "idempotency_key_conflict" in operation.refusals():
        names.append("Idempotent-Replayed")
    if model is not None and model.__name__ in _VERSIONED:
        names.append("ETag")
    return _references(names)


def refusal_headers(operation: Operation[Any, Any], status: int) -> dict[str, Any]:
    """The headers of a refusal with this status."""
    return _references([*_always(operation), *(["Retry-After"] if status in (429, 503) else [])])


def _always(operation: Operation[Any, Any]) -> Iterable[str]:
    yield "X-Request-Id"
    if operation.access is not Access.OPEN:
        yield from ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    if operation.access is Access.ACCOUNT:
        yield "X-CueAPI-Usage-Warning"


def _references(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
