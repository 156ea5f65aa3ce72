"""What traces cost: CPU of the services for an execution, without a collector and with one.

`python -m bench.tracing [EXECUTIONS]`: the same burst on a stack of its own for each case, twice
round; the figures are CPU, so that what else runs on the machine disturbs them little.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psutil
import uvloop
from aiohttp import web

from bench.delivery import collect
from bench.load import Client, concurrently, in_seconds
from deploy.local.ports import free_port
from deploy.local.stack import Stack

EXECUTIONS, ROUNDS = 2_000, 2
SETTLE_SECONDS = 3.0
CASES = {
    "no collector": {},
    "1 % of traces": {"OTEL_TRACES_SAMPLER_ARG": "0.01"},
    "all traces": {"OTEL_TRACES_SAMPLER_ARG": "1"},
}
SERVICES = ("scheduler", "dispatcher", "outcomes", "alerts", "api")


async def run(executions: int) -> None:
    """Print microseconds of CPU an execution in each case, and the ratio to no collector."""
    best: dict[str, float] = {}
    async with _collector() as endpoint:
        for _ in range(ROUNDS):
            for name, settings in CASES.items():
                traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **settings} if settings else {}
                cost = await _cost(executions, traced)
                best[name] = min(best.get(name, cost), cost)
                print(f"{name:<14} {cost:7.0f} µs", flush=True)
    for name, cost in best.items():
        ratio = cost / best["no collector"]
        print(f"{name:<14} {cost:7.0f} µs of CPU an execution, {ratio:.3f} of none")


async def _cost(executions: int, environment: dict[str, str]) -> float:
    port = free_port()
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.receiver", str(port)
    )
    environment |= {"DISABLE_QUOTA_ENFORCEMENT": "true", "CUEAPI_LOG_LEVEL": "warning"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with (
                Stack(Path(folder), env=environment) as stack,
                Client(stack.base_url, f"http://127.0.0.1:{port}") as client,
            ):
                return await _burst(client, stack, executions)
    finally:
        receiver.terminate()
        await receiver.wait()


async def _burst(client: Client, stack: Stack, executions: int) -> float:
    cue = await client.create_once(f"traced-{time.time_ns()}", in_seconds(86_400))
    fire = partial(client.call, "POST", f"/v1/cues/{cue}/fire", {})
    await concurrently(32, [fire] * 200)
    await collect(client, 200)
    processes = [psutil.Process(s.pid) for name in SERVICES for s in stack.services[name]]
    before = _cpu(processes)
    await concurrently(32, [fire] * executions)
    await collect(client, executions)
    await asyncio.sleep(SETTLE_SECONDS)
    return (_cpu(processes) - before) / executions * 1e6


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))


@asynccontextmanager
async def _collector() -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else EXECUTIONS))
