"""The adapters of web frameworks, which are imported only by those who use them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from flask import Response as FlaskResponse
    from starlette.requests import Request
    from starlette.responses import Response

    from cueapi.webhooks.delivery import Delivery
    from cueapi.webhooks.receiver import Handler, WebhookReceiver

E = TypeVar("E", bound=Callable[..., Any])


def starlette_endpoint(
    receiver: WebhookReceiver, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint of FastAPI or Starlette."""
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse

    def in_thread(delivery: Delivery) -> Awaitable[Any]:
        return run_in_threadpool(handler, delivery)

    call = handler if inspect.iscoroutinefunction(handler) else in_thread

    async def endpoint(request: Request) -> JSONResponse:
        body = await request.body()
        answer = await receiver.handle_async(request.headers, body, call)
        return JSONResponse(answer.body, answer.status, answer.headers)

    # FastAPI reads the annotations, which are texts here and name what is local to this function.
    endpoint.__annotations__ = {"request": Request, "return": JSONResponse}
    return _named_as(handler, endpoint)


def flask_view(receiver: WebhookReceiver, handler: Handler) -> Callable[[], FlaskResponse]:
    """Make a view of Flask."""
    from flask import Response, request

    def view() -> Response:
        answer = receiver.handle(dict(request.headers), request.get_data(), handler)
        return Response(
            json.dumps(answer.body),
            answer.status,
            dict(answer.headers),
            content_type="application/json",
        )

    return _named_as(handler, view)


def django_view(receiver: WebhookReceiver, handler: Handler) -> Callable[[Any], Any]:
    """Make a view of Django, which brings no types of its own."""
    json_response = import_module("django.http").JsonResponse
    csrf_exempt = import_module("django.views.decorators.csrf").csrf_exempt

    def view(request: Any) -> Any:
        answer = receiver.handle(dict(request.headers), request.body, handler)
        return json_response(answer.body, status=answer.status, headers=dict(answer.headers))

    return csrf_exempt(_named_as(handler, view))  # type: ignore[no-any-return]


def _named_as(handler: Handler, endpoint: E) -> E:
    # Routers name a route after its function; the signature must stay the endpoint's own.
    endpoint.__name__ = getattr(handler, "__name__", "webhook")
    endpoint.__doc__ = handler.__doc__
    return endpoint
