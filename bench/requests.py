"""What the API answers per second, and workers' cycles per second."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from bench.load import Client, concurrently, in_seconds, percentiles


async def create_cues(client: Client, count: int = 4_000) -> dict[str, float]:
    """POST /v1/cues over 32 connections."""
    at, name = in_seconds(86_400), f"create-{time.time_ns()}"
    seconds, latencies = await concurrently(
        32, [partial(client.create_once, f"{name}-{i}", at) for i in range(count)]
    )
    return _rates(count, seconds, latencies)


async def list_executions(client: Client, count: int = 3_000) -> dict[str, float]:
    """GET /v1/executions over 32 connections."""
    seconds, latencies = await concurrently(
        32, [lambda: client.call("GET", "/v1/executions")] * count
    )
    return _rates(count, seconds, latencies)


async def worker_cycles(client: Client, cycles: int = 3_000, workers: int = 8) -> dict[str, float]:
    """Fire worker executions, then let workers claim the next one and report its outcome."""
    cue = await client.call(
        "POST",
        "/v1/cues",
        {
            "name": f"worker-{time.time_ns()}",
            "schedule": {"type": "recurring", "cron": "0 0 1 1 *"},
            "transport": "worker",
        },
    )
    await concurrently(32, [lambda: client.call("POST", f"/v1/cues/{cue['id']}/fire", {})] * cycles)
    latencies: list[float] = []

    async def work(worker_id: str) -> None:
        while True:
            began = time.perf_counter()
            claim = await client.call("POST", "/v1/executions/claim", {"worker_id": worker_id})
            if claim["_status"] == 409:
                return
            path = f"/v1/executions/{claim['execution_id']}/outcome"
            await client.call("POST", path, {"success": True})
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work(f"worker-{i}") for i in range(workers)))
    return _rates(len(latencies), time.perf_counter() - began, latencies)


def _rates(count: int, seconds: float, latencies: list[float]) -> dict[str, float]:
    return {
        "per_second": count / seconds,
        **{f"{k}_ms": v * 1000 for k, v in percentiles(latencies).items()},
    }
