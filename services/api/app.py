"""The composition root: settings in, the running API out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog
import uvloop
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from libs.events.bus import Bus, Refused, Unanswered
from libs.events.log import PostgresLog
from libs.events.receive import Receiver
from libs.runtime.health import Health, HealthServer
from libs.runtime.http.names import NameLookup
from libs.runtime.logging import configure_logging
from libs.runtime.postgres import Conflict, Database, Unavailable
from libs.runtime.supervisor import Part, supervise
from services.api.edge import Edge
from services.api.errors import STATUS, ApiError, broken, error_response, unavailable
from services.api.routes.auth import auth
from services.api.routes.claims import claims
from services.api.routes.cues import cues
from services.api.routes.documents import Api
from services.api.routes.executions import executions
from services.api.routes.fires import fires
from services.api.routes.gate import Gate
from services.api.routes.health import VERSION, health
from services.api.routes.operation import REQUEST_ID
from services.api.routes.outcomes import outcomes
from services.api.routes.ports import Ports, Rules
from services.api.routes.timeline import timelines
from services.api.routes.workers import workers
from services.api.server import HttpServer, bound_socket
from services.api.settings import ApiSettings

NAME = "api"

log = structlog.get_logger()

# Literal paths stand before `{id}`: the first match wins.
ROUTERS: Sequence[APIRouter] = [
    operations.router
    for operations in (cues, fires, claims, executions, outcomes, timelines, workers, auth, health)
]


def main() -> int:
    """Run the api until it is told to stop; give the exit code."""
    settings = ApiSettings()
    configure_logging(NAME, json=settings.log_format == "json", level=settings.log_level)
    return uvloop.run(_run(settings))


async def _run(settings: ApiSettings) -> int:
    try:
        listening = bound_socket(settings.host, settings.port)
    except OSError as error:
        log.error("cannot listen; set HOST or PORT", port=settings.port, error=str(error))
        return 1
    database = Database(
        settings.database_url, max_connections=settings.database_pool, name=f"cueapi-{NAME}"
    )
    own_health, names, bus = Health(), NameLookup(), Bus(settings.nats_url, NAME)
    own_health.require("postgres", database.answers)
    ports = Ports(
        store=database,
        bus=bus,
        log=PostgresLog(database),
        keyring=settings.keyring(),
        names=names,
        rules=rules_of(settings),
    )
    application = build(ports, settings.origins())
    await database.open()
    try:
        # Stopped last to first: requests in hand still need the bus.
        parts: list[Part] = [
            HealthServer(own_health, settings.health_host, settings.health_port),
            Receiver(bus, database, own_health),
            HttpServer(application, listening, settings.stop_grace_seconds),
        ]
        return await supervise(parts, own_health, grace=settings.stop_grace_seconds)
    finally:
        names.close()
        await bus.close()
        await database.close()


def rules_of(settings: ApiSettings) -> Rules:
    """What of the settings the endpoints care about."""
    return Rules(
        allow_register=settings.allow_register,
        default_plan=settings.default_plan,
        enforce_quotas=not settings.disable_quota_enforcement,
        delivery_timeout_seconds=settings.webhook_timeout_seconds,
        worker_stale_seconds=settings.worker_heartbeat_timeout_seconds,
        session_secret=settings.session_secret,
        dashboard_url=settings.dashboard_url,
        trusted_proxies=settings.proxies(),
        egress=settings.egress(),
    )


def build(ports: Ports, origins: Sequence[str] = ("*",)) -> ASGIApp:
    """Build the ASGI application on its ports; `origins` are the ones of browsers."""
    api = Api(title="CueAPI", version=VERSION, redirect_slashes=False, redoc_url=None)
    api.state.ports = ports
    api.state.gate = Gate(ports)
    for path, methods in _shadowed().items():
        api.add_route(path, _other_method, methods=sorted(methods), include_in_schema=False)
    for router in ROUTERS:
        api.include_router(router)
    api.add_exception_handler(ApiError, _on(lambda error: error))
    api.add_exception_handler(HTTPException, _on_no_route)
    api.add_exception_handler(Refused, _on(_of_owner))
    api.add_exception_handler(Unanswered, _on(lambda _: unavailable("the message broker")))
    for away in (Unavailable, Conflict):
        api.add_exception_handler(away, _on(lambda _: unavailable("the database")))
    api.add_exception_handler(ClientDisconnect, _on_gone)
    api.add_exception_handler(Exception, _on(lambda _: broken()))
    return Edge(api, origins)


def _routes() -> list[Route]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]


def _shadowed() -> dict[str, set[str]]:
    """Literal paths, with the methods that only a template (`{id}`) in their place would have."""
    literal: dict[str, set[str]] = {}
    for route in _routes():
        if "{" not in route.path:
            literal.setdefault(route.path, set()).update(route.methods or ())
    shadowed: dict[str, set[str]] = {}
    for route in _routes():
        for path, methods in literal.items():
            if "{" in route.path and route.path_regex.fullmatch(path):
                shadowed.setdefault(path, set()).update((route.methods or set()) - methods)
    return {path: methods for path, methods in shadowed.items() if methods}


async def _other_method(_: Request) -> Response:
    raise HTTPException(405)


def _on(refusal: Callable[..., ApiError]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return error_response(refusal(error), request.scope[REQUEST_ID])

    return answer


async def _on_gone(_: Request, __: Exception) -> Response:
    # Nobody reads it.
    return Response(status_code=400)


def _of_owner(error: Refused) -> ApiError:
    rejection = error.rejection
    assert rejection.code in STATUS, f"no status for the refusal {rejection.code}"
    return ApiError(rejection.code, rejection.message)


async def _on_no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        refusal = ApiError(
            "method_not_allowed",
            f"{request.method} is not a method of this path",
            headers={"Allow": ", ".join(_methods_at(request))},
        )
    else:
        refusal = ApiError("not_found", "there is nothing at this path")
    return error_response(refusal, request.scope[REQUEST_ID])


def _methods_at(request: Request) -> list[str]:
    path = request.scope["path"]
    literal = [route for route in _routes() if route.path == path]
    matching = literal or [route for route in _routes() if route.path_regex.fullmatch(path)]
    return sorted({method for route in matching for method in route.methods or ()})
