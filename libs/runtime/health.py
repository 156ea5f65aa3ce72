"""Liveness, readiness and metrics of one process, over HTTP, from the process's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from libs.runtime.clock import monotonic

STALE_SECONDS = 30.0

Check = Callable[[], Awaitable[bool]]


class Health:
    """What a process knows of itself: which parts still beat, and whether it may get work.

    A part that has not beaten for `stale_seconds` stands still.
    """

    def __init__(self, *, stale_seconds: float = STALE_SECONDS) -> None:
        self._stale_seconds = stale_seconds
        self._beats: dict[str, float] = {}
        self._checks: dict[str, Check] = {}
        self.accepting = False

    def beat(self, part: str) -> None:
        """Say that `part` went round its loop."""
        self._beats[part] = monotonic()

    def require(self, name: str, check: Check) -> None:
        """Ready only while `check` gives true within two seconds."""
        self._checks[name] = check

    def stale_parts(self) -> list[str]:
        """Name the parts that have not gone round for too long."""
        limit = monotonic() - self._stale_seconds
        return sorted(part for part, beat in self._beats.items() if beat < limit)

    async def missing(self) -> list[str]:
        """Name what keeps the process from being ready."""
        if not self.accepting:
            return ["starting or stopping"]
        verdicts = await asyncio.gather(*(_within_two_seconds(c) for c in self._checks.values()))
        return [name for name, ok in zip(self._checks, verdicts, strict=True) if not ok]


async def _within_two_seconds(check: Check) -> bool:
    try:
        async with asyncio.timeout(2):
            return await check()
    except TimeoutError:
        return False


class HealthServer:
    """Serves `/livez`, `/readyz` and `/metrics` until cancelled."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self.name = "health"
        self._health = health
        self._host = host
        self._port = port

    async def run(self) -> None:
        """Serve until cancelled."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/livez", self._live),
                web.get("/readyz", self._ready),
                web.get("/metrics", _metrics),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        stale = self._health.stale_parts()
        return web.json_response({"stale": stale}, status=503 if stale else 200)

    async def _ready(self, _: web.Request) -> web.Response:
        missing = await self._health.missing()
        return web.json_response({"missing": missing}, status=503 if missing else 200)


async def _metrics(request: web.Request) -> web.Response:
    # OpenMetrics to who asks for it, as Prometheus does: the other format has no exemplars.
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(REGISTRY), headers={"Content-Type": content_type})
