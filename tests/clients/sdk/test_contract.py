"""Each call is what the server's OpenAPI describes, and each operation of it has a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from cueapi import AsyncCueAPI, CueAPI
from cueapi.calls import Call
from cueapi.models.model import Model
from cueapi.resource import AsyncResource, Resource, listing, operation
from typing_extensions import override

from tests.clients.sdk.calls import CALLS
from tests.clients.sdk.openapi import Document, Operation, server_document

# What no SDK call is for: pages for people, and Stripe's own calls.
NOT_FOR_CLIENTS = {
    "GET /auth/device",
    "GET /docs/errors",
    "GET /auth/magic-link",
    "GET /v1/auth/verify",
    "GET /v1/status/history",  # what the status page draws
    "POST /v1/auth/verify",
    "POST /v1/billing/webhook",
    "POST /v1/echo/canary",  # the service's own runs
}
EVENT = b'data: {"type": "ExecutionScheduled"}\nid: 8\n\n'


def sent_by(call: Callable[[CueAPI], Any]) -> list[httpx.Request]:
    """The requests that a call sends."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if request.headers["Accept"] == "text/event-stream":
            return httpx.Response(200, content=EVENT)
        return httpx.Response(200, json={})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        call(CueAPI("key", base_url="http://api", http_client=http))
    return sent


@pytest.fixture(scope="module")
def document() -> Document:
    return Document(server_document())


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_what_the_server_describes(document: Document, name: str) -> None:
    sent = sent_by(CALLS[name])
    assert sent
    for request in sent:
        document.check(request)


def test_every_operation_of_the_server_has_a_call(document: Document) -> None:
    for call in CALLS.values():
        for request in sent_by(call):
            document.check(request)
    known = {operation.name for operation in document.operations}
    assert known - set(document.reached) == NOT_FOR_CLIENTS


def test_every_parameter_of_the_server_is_used_by_some_call(document: Document) -> None:
    for call in CALLS.values():
        for request in sent_by(call):
            document.check(request)
    unused = {
        (operation.name, parameter["name"])
        for operation in document.operations
        if operation.name in document.reached
        for parameter in operation.about["parameters"]
        if parameter["in"] == "query" and not _is_used(document, operation, parameter["name"])
    }
    assert unused == {
        ("GET /v1/support", "status"),  # the older name of ticket_status
        ("GET /v1/events/stream", "last_event_id"),  # the SDK sends the header
    }


def _is_used(document: Document, operation: Operation, name: str) -> bool:
    return any(name in request.url.params for request in document.reached[operation.name])


def resources_of(client: object, kind: type) -> dict[str, object]:
    return {name: value for name, value in vars(client).items() if isinstance(value, kind)}


def calls_of(resource: object) -> set[str]:
    return {
        name
        for kind in type(resource).__mro__
        for name, value in vars(kind).items()
        if isinstance(value, (operation, listing))
    }


def test_the_table_has_every_call() -> None:
    with CueAPI("key") as client:
        known = {
            f"{name}.{call}"
            for name, resource in resources_of(client, Resource).items()
            for call in calls_of(resource)
        }
    assert known | {"events.stream"} == {name.split()[0] for name in CALLS}


async def test_the_async_client_has_the_same_calls() -> None:
    client, twin = CueAPI("key"), AsyncCueAPI("key")
    mine, its = resources_of(client, Resource), resources_of(twin, AsyncResource)
    assert mine.keys() == its.keys()
    for name in mine:
        assert calls_of(mine[name]) == calls_of(its[name])
    client.close()
    await twin.close()


class Asked(Exception):
    """Carries a call out of a client that does not send it."""

    def __init__(self, call: Call[Any]) -> None:
        self.call = call


class Unsent(CueAPI):
    """A client that sends nothing."""

    @override
    def run(self, call: Call[Any]) -> Any:
        raise Asked(call)


@pytest.mark.parametrize("name", [n for n in CALLS if n not in ("events.stream",)])
def test_a_model_has_just_the_fields_of_the_answer(document: Document, name: str) -> None:
    (request, *_) = sent_by(CALLS[name])
    operation = document.operation_of(request)
    with pytest.raises(Asked) as asked:
        CALLS[name](Unsent("key"))
    model = asked.value.call.parse({})
    schema = operation.schema("200") or operation.schema("201")
    if schema is None:
        assert model is None
        return
    assert isinstance(model, Model)
    assert differences(document, type(model), schema) == ALSO_ELSEWHERE.get(operation.name, set())


def differences(document: Document, model: type[Model], schema: dict[str, Any]) -> set[str]:
    """The fields that only one of the model and the schema has, in nested objects too."""
    told, typed = document.properties(schema), get_type_hints(model)
    differing = set(model.fields()) ^ told.keys()
    for name in model.fields() & told.keys():
        nested = next(iter(_nested(told[name])), None)
        inner = [each for each in _types_in(typed[name]) if issubclass(each, Model)]
        assert bool(inner) == bool(nested), f"{model.__name__}.{name}"
        if nested:
            differing |= {f"{name}.{each}" for each in differences(document, inner[0], nested)}
    return differing


def _nested(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        yield schema
    inner = [schema["items"]] if "items" in schema else []
    for each in [*inner, *schema.get("anyOf", ())]:
        yield from _nested(each)


def _types_in(hint: Any) -> list[type]:
    inner = [each for argument in get_args(hint) for each in _types_in(argument)]
    return inner if get_args(hint) else [hint] if isinstance(hint, type) else []


# A fire answers as a replay does, but for this.
ALSO_ELSEWHERE = {"POST /v1/cues/{cue_id}/fire": {"replayed_from"}}
