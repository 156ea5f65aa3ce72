"""What more dispatchers give: executions a second with 1, 2 and 3, while receivers take 200 ms."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from bench.bursts import burst_of_rows
from bench.load import Client
from bench.scale import scaled
from deploy.local.ports import free_port
from deploy.local.stack import Stack

NUMBERS = (1, 2, 3)
DUE = 6_000
ANSWER_SECONDS = 0.2
# What one dispatcher keeps on the wire; small, so that it is the receiver that is waited for.
CONCURRENCY = 64


async def dispatchers() -> dict[str, float]:
    """Deliver the same burst with each number, each on a stack of its own."""
    figures: dict[str, float] = {}
    for number in NUMBERS:
        figures[f"per_second_with_{number}"] = await _with(number)
    figures["gain"] = figures[f"per_second_with_{NUMBERS[-1]}"] / figures["per_second_with_1"]
    figures["executions"] = scaled(DUE)
    return figures


async def _with(number: int) -> float:
    port = free_port()
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.receiver", str(port), str(ANSWER_SECONDS)
    )
    environment = {
        "DISABLE_QUOTA_ENFORCEMENT": "true",
        "CUEAPI_LOG_LEVEL": "warning",
        "CUEAPI_DISPATCH_CONCURRENCY": str(CONCURRENCY),
        "CUEAPI_DISPATCH_ACCOUNT_CONCURRENCY": str(CONCURRENCY),
        "CUEAPI_DISPATCH_HOST_CONCURRENCY": str(CONCURRENCY),
    }
    try:
        with tempfile.TemporaryDirectory() as folder:
            stack = Stack(Path(folder), env=environment, replicas={"dispatcher": number})
            async with stack, Client(stack.base_url, f"http://127.0.0.1:{port}") as client:
                return (await burst_of_rows(client, stack.database_url, DUE))["per_second"]
    finally:
        receiver.terminate()
        await receiver.wait()
