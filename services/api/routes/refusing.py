"""What an exception is for the client: the handlers that FastAPI calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from libs.events.bus import Refused, Unanswered
from libs.runtime.postgres import Conflict, Unavailable
from services.api.errors import STATUS, ApiError, broken, error_response, unavailable

Handling = Callable[[Request, Exception], Awaitable[Response]]


async def refuse(request: Request, error: Exception) -> Response:
    """Answer an exception with its envelope."""
    not_here = isinstance(error, HTTPException) and error.status_code == 405
    if not_here and request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": ", ".join(_methods_here(request))})
    return error_response(_refusal(error, request), request)


async def _nobody_reads_it(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


HANDLERS: Mapping[type[Exception], Handling] = {
    **dict.fromkeys((ApiError, HTTPException, Refused, Unanswered, Unavailable, Conflict), refuse),
    ClientDisconnect: _nobody_reads_it,
    Exception: refuse,
}


def _refusal(error: Exception, request: Request) -> ApiError:
    match error:
        case ApiError():
            return error
        case Refused(rejection=rejection) if rejection.code in STATUS:
            return ApiError(rejection.code, rejection.message)
        case Unanswered():
            return unavailable("the message broker")
        case Unavailable() | Conflict():
            return unavailable("the database")
        case HTTPException(status_code=404):
            return ApiError("not_found", "there is nothing at this path")
        case HTTPException(status_code=405):
            message = f"{request.method} is not a method of this path"
            allowed = {"Allow": ", ".join(_methods_here(request))}
            return ApiError("method_not_allowed", message, headers=allowed)
        case _:
            return broken()


def _methods_here(request: Request) -> list[str]:
    # Starlette names the methods of the first route that matches the path, and there are several.
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    here = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in here for method in route.methods or ()}
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))
