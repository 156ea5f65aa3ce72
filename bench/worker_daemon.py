"""What the worker daemon does per second, and how much memory it takes (issue 6: 400, 60 MiB).

Against an API that does nothing but answer, and against the whole stack.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import yaml

from bench.load import Client, concurrently
from deploy.local.ports import free_port

_LIMIT_SECONDS = 120.0
_LOOK_SECONDS = 0.2


async def no_op_handlers(jobs: int = 4_000) -> dict[str, float]:
    """Python handlers that do nothing, over loopback."""
    async with _api(jobs) as (url, http), _daemon(["bench.no_op:worker"], url) as pid:
        return await _measured(jobs, pid, lambda: _done(http))


async def commands(jobs: int = 400) -> dict[str, float]:
    """Commands that do nothing, over loopback."""
    async with _api(jobs) as (url, http):
        with tempfile.TemporaryDirectory() as folder:
            async with _daemon(["-c", _config(folder)], url) as pid:
                return await _measured(jobs, pid, lambda: _done(http))


async def on_the_stack(client: Client, jobs: int = 1_500) -> dict[str, float]:
    """Python handlers that do nothing, for the whole stack, which is then what limits."""
    cue = await client.call(
        "POST",
        "/v1/cues",
        {
            "name": f"daemon-{time.time_ns()}",
            "schedule": {"type": "recurring", "cron": "0 0 1 1 *"},
            "transport": "worker",
            "payload": {"task": "bench"},
        },
    )
    await concurrently(32, [lambda: client.call("POST", f"/v1/cues/{cue['id']}/fire", {})] * jobs)
    began = time.time()

    async def done() -> dict[str, float]:
        query = f"/v1/executions?cue_id={cue['id']}&status=success&limit=1"
        count = (await client.call("GET", query))["total"]
        return {"count": count, "first": began, "last": time.time()}

    key = (await client.call("POST", "/v1/auth/keys", {"label": "daemon"}))["api_key"]
    async with _daemon(["bench.no_op:worker"], client.base_url, key) as pid:
        return await _measured(jobs, pid, done)


async def _measured(
    jobs: int, pid: int, done: Callable[[], Awaitable[dict[str, float]]]
) -> dict[str, float]:
    process, resident = psutil.Process(pid), 0
    idle = _cpu_seconds(process)
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline:
        resident = max(resident, process.memory_info().rss)
        so_far = await done()
        if so_far["count"] >= jobs:
            seconds = so_far["last"] - so_far["first"]
            return {
                "per_second": jobs / seconds,
                # What a machine with nothing else to do would show at best.
                "per_cpu_second": jobs / (_cpu_seconds(process) - idle),
                "resident_mib": resident / 2**20,
            }
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError(f"{jobs} jobs were not done in {_LIMIT_SECONDS:g} s")


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


@asynccontextmanager
async def _api(jobs: int) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.work_api", str(port), str(jobs)
    )
    url = f"http://127.0.0.1:{port}"
    transport = httpx.AsyncHTTPTransport(retries=10)
    try:
        async with httpx.AsyncClient(base_url=url, transport=transport, trust_env=False) as http:
            await _done(http)
            yield url, http
    finally:
        process.terminate()
        await process.wait()


async def _done(http: httpx.AsyncClient) -> dict[str, float]:
    answer: dict[str, float] = (await http.get("/done")).json()
    return answer


@asynccontextmanager
async def _daemon(arguments: list[str], url: str, key: str = "cue_sk_bench") -> AsyncIterator[int]:
    with tempfile.TemporaryDirectory() as spool:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cueapi_worker", "start", *arguments),
            env={
                **os.environ,
                "CUEAPI_API_KEY": key,
                "CUEAPI_BASE_URL": url,
                "BENCH_SPOOL": spool,
            },
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield process.pid
        finally:
            process.kill()
            await process.wait()


def _config(folder: str) -> str:
    path = Path(folder) / "worker.yaml"
    config = {"handlers": {"bench": ["true"]}, "max_concurrent": 8, "state_dir": folder}
    path.write_text(yaml.safe_dump(config))
    return str(path)
