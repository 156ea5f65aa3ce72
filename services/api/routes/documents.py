"""The OpenAPI document: FastAPI makes it of the routes, and here is what the routes share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from typing_extensions import override

from services.api.errors import Envelope
from services.api.routes.describing import REF, described, refusal_examples, schemas_used
from services.api.routes.operation import Operation
from services.api.routes.parameters import HEADERS
from services.api.routes.shapes import NoBody

SUMMARY = "Scheduling for AI agents that proves the work was done."
DESCRIPTION = """\
Declare a **cue**: a schedule and a place to call. Each time it is due it becomes an **execution**,
which is pushed to your webhook or pulled by your worker. Your agent reports the **outcome** with
its evidence; what goes wrong becomes an **alert**.

**Authentication.** Send `Authorization: Bearer cue_sk_...` with an API key, or a session's token.

**Errors.** Every answer that is not 2xx is `{"error": {"code", "message", "status", "request_id",
"trace_id", "hint", "doc_url"}}`; the page at `doc_url` explains the code. `validation_error` lists
all faults in `details`.

**Repeating.** Send an `Idempotency-Key` with a POST, PATCH or DELETE, and it is safe to repeat.

**Limits.** Every answer tells what is left of the minute in `X-RateLimit-*`; on 429 wait as long as
`Retry-After` says.

**Lists** are newest first, and answer `total`, `limit` and `offset` beside the items.

**Timestamps** are RFC 3339 in UTC; only `next_run` and `schedule.at` of a cue are in its own zone.
"""
TAGS = {
    "Cues": "What is to happen, and when.",
    "Schedules": "What a schedule means, before a cue is made of it.",
    "Executions": "The runs of cues: what was due, what was done, and how it went.",
    "Outcomes": "What came of an execution: reported, backed by evidence, verified.",
    "Worker mode": "Executions pulled by programs that no webhook reaches.",
    "Alerts": "What went wrong, and who has seen it.",
    "Events": "Everything that happens in the account, as it happens.",
    "Account": "The account, its keys, secrets, sessions and usage.",
    "Sign-in": "From an address to a key, by a mailed link.",
    "Billing": "Plans, on Stripe's pages.",
    "Support": "Tickets, from the account to the people who run this.",
    "Echo": "A callback to try things with.",
    "Health": "Whether the service works.",
    "Reference": "Pages that explain.",
}


class Api(FastAPI):
    """FastAPI, whose document also holds the models of our bodies and answers."""

    def __init__(self, operations: Sequence[Operation[Any, Any]], **settings: Any) -> None:
        super().__init__(
            summary=SUMMARY,
            description=DESCRIPTION,
            openapi_tags=[{"name": name, "description": told} for name, told in TAGS.items()],
            **settings,
        )
        self._operations = operations

    @override
    def openapi(self) -> dict[str, Any]:
        """Build the OpenAPI 3.1 document, once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for each in self._operations:
                # FastAPI leaves out what is None, which in an example is a word.
                document["paths"][each.path][each.method.lower()] |= described(each)
            document["components"] = {
                "schemas": _schemas(self._operations),
                "headers": dict(HEADERS),
                "examples": refusal_examples(),
                "securitySchemes": {"bearer": _BEARER},
            }
            self.openapi_schema = document
        return self.openapi_schema


_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "cue_sk_... or JWT",
    "description": "An API key (`cue_sk_` and 32 hex digits), or the token of a session."
    " Both act as the whole account.",
}


def _schemas(operations: Sequence[Operation[Any, Any]]) -> dict[str, Any]:
    bodies = {each.body.__name__: each.body for each in operations if each.body is not NoBody}
    answers = schemas_used(model for each in operations for model in each.answers.values())
    _, sent = models_json_schema(
        [(bodies[name], "validation") for name in sorted(bodies)], ref_template=REF + "{model}"
    )
    _, answered = msgspec.json.schema_components([Envelope, *answers], ref_template=REF + "{name}")
    return {**sent.get("$defs", {}), **answered}
