"""The composition root: settings in, the running API out."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
import uvloop
from starlette.types import ASGIApp

from libs.events.bus import Bus
from libs.events.log import PostgresLog
from libs.events.receive import Receiver
from libs.runtime.collector import settle_memory
from libs.runtime.health import Health, HealthServer
from libs.runtime.http.names import NameLookup
from libs.runtime.logging import configure_logging
from libs.runtime.postgres import Database
from libs.runtime.supervisor import Part, supervise
from libs.runtime.telemetry import configure_telemetry
from services.api.adapters.mail import MailRoom
from services.api.edge import Edge
from services.api.queries.pages import Pages
from services.api.routes import billing as plans
from services.api.routes.alerts import alerts
from services.api.routes.attempts import attempts
from services.api.routes.audience import Audience, Lookout
from services.api.routes.auth import auth
from services.api.routes.bulk import bulk
from services.api.routes.canary import Canary, canary
from services.api.routes.claims import claims
from services.api.routes.cues import cues
from services.api.routes.dashboard import dashboard_routes
from services.api.routes.device_codes import device_codes
from services.api.routes.docs import docs_routes
from services.api.routes.documents import Api
from services.api.routes.echoes import echoes
from services.api.routes.error_page import ERRORS_PATH, reference
from services.api.routes.executions import executions
from services.api.routes.fires import fires
from services.api.routes.gate import Gate
from services.api.routes.health import VERSION, health
from services.api.routes.keys import keys
from services.api.routes.ledger import ledgers
from services.api.routes.mcp import mcp
from services.api.routes.operation import Operations
from services.api.routes.outcomes import outcomes
from services.api.routes.ports import Ports, Rules
from services.api.routes.preview import previews
from services.api.routes.refusing import HANDLERS
from services.api.routes.replays import replays
from services.api.routes.route import OperationRoute
from services.api.routes.sessions import sessions
from services.api.routes.sign_in import sign_in
from services.api.routes.status_history import status_history
from services.api.routes.status_page import status_routes
from services.api.routes.streams import streams
from services.api.routes.support import support
from services.api.routes.testing import tests
from services.api.routes.timeline import timelines
from services.api.routes.transfer import Transfer
from services.api.routes.usage import usage
from services.api.routes.waiting import WaitingRoom
from services.api.routes.webhook_secrets import secrets
from services.api.routes.workers import workers
from services.api.server import HttpServer, bound_socket
from services.api.settings import ApiSettings

NAME = "api"

log = structlog.get_logger()

RESOURCES: Sequence[Operations] = (
    cues,
    bulk,
    fires,
    tests,
    executions,
    claims,
    outcomes,
    timelines,
    streams,
    attempts,
    replays,
    ledgers,
    previews,
    workers,
    alerts,
    auth,
    keys,
    secrets,
    sessions,
    device_codes,
    sign_in,
    mcp,
    echoes,
    support,
    plans.billing,
    usage,
    health,
    status_history,
    canary,
    reference,
)


def main() -> int:
    """Run the api until it is told to stop; give the exit code."""
    settings = ApiSettings()
    configure_logging(NAME, json=settings.log_format == "json", level=settings.log_level)
    finish = configure_telemetry(NAME, settings.otlp_endpoint, settings.trace_ratio)
    try:
        return uvloop.run(_run(settings))
    finally:
        finish()


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
    mail_room, billing = MailRoom(settings.mailer(names).send), settings.billing()
    audience, receiver = Audience(), Receiver(bus, database, own_health)
    waiting = WaitingRoom()
    receiver.overhears(audience.hear)
    receiver.overhears(waiting.hear)
    own_health.require("postgres", database.answers)
    ports = Ports(
        store=database,
        pages=Pages(database),
        bus=bus,
        log=PostgresLog(database),
        keyring=settings.keyring(),
        names=names,
        mailer=mail_room,
        rules=rules_of(settings),
        billing=billing,
        audience=audience,
        waiting=waiting,
    )
    application = build(ports, settings.origins())
    await database.open()
    try:
        # Stopped last to first: streams end, so that they are no requests in hand; those still
        # need the bus.
        parts: list[Part] = [
            HealthServer(own_health, settings.health_host, settings.health_port),
            receiver,
            mail_room,
            HttpServer(application, listening, settings.stop_grace_seconds),
            Lookout(audience, database),
            Canary(ports, own_health, wanted=settings.canary),
        ]
        settle_memory()
        return await supervise(parts, own_health, grace=settings.stop_grace_seconds)
    finally:
        names.close()
        if billing is not None:
            await billing.close()
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
        device_codes_per_hour=settings.device_codes_per_ip_hour,
        mcp_clients=settings.mcp_clients(),
        return_hosts=settings.return_hosts(),
        reveal_keys=settings.reveal_keys,
        base_url=settings.base_url.rstrip("/"),
        dashboard_url=settings.dashboard_url,
        trusted_proxies=settings.proxies(),
        egress=settings.egress(),
    )


def build(ports: Ports, origins: Sequence[str] = ("*",)) -> ASGIApp:
    """Build the ASGI application on its ports; `origins` are the ones of browsers."""
    operations = [operation for resource in RESOURCES for operation in resource.all]
    literal = {operation.path for operation in operations if "{" not in operation.path}
    gate = Gate(ports)
    api = Api(
        operations,
        title="CueAPI",
        version=VERSION,
        routes=[
            *(OperationRoute(operation, ports, gate, literal) for operation in operations),
            *dashboard_routes(ports, gate),
            *docs_routes(ports.rules.base_url),
            *status_routes(),
        ],
        exception_handlers=HANDLERS,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    return Edge(Transfer(api), origins, ports.rules.base_url + ERRORS_PATH)
