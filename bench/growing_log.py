"""Whether appending to the log and listing executions slow down as the log grows."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from bench.filling import copy_execution, opened, settle
from bench.load import Client, concurrently, in_seconds, percentiles
from bench.raw import appends_per_second
from bench.scale import scaled

SIZES = (10_000, 100_000, 1_000_000)
LISTS = 400
CONNECTIONS = 8
LEAD_SECONDS = 3.0


async def growing_log(client: Client, database_url: str) -> dict[str, Any]:
    """Grow one account's executions until the log has each number of events; measure at each."""
    async with Client(client.base_url, client.receiver_url) as owner:
        return await _grow(owner, database_url)


async def _grow(owner: Client, database_url: str) -> dict[str, Any]:
    await owner.create_once(f"grown-{time.time_ns()}", in_seconds(LEAD_SECONDS), "/grown")
    execution = await _delivered(owner)
    figures: dict[str, Any] = {}
    async with opened(database_url) as database:
        [row] = await database.rows(
            "select count(*) as count from events where stream_id = %s", [f"execution-{execution}"]
        )
        for size in SIZES:
            events = scaled(size)
            [have] = await database.rows("select count(*) as count from events")
            await copy_execution(database, execution, (events - have["count"]) // row["count"])
            await settle(database, "events", "executions")
            figures[f"appends_per_second_at_{events}"] = await appends_per_second(database_url)
            ask = partial(owner.call, "GET", "/v1/executions?limit=50")
            _, latencies = await concurrently(CONNECTIONS, [ask] * LISTS)
            for name, seconds in percentiles(latencies).items():
                figures[f"list_{name}_ms_at_{events}"] = seconds * 1000
    return figures


async def _delivered(owner: Client) -> str:
    deadline = time.perf_counter() + 60
    while time.perf_counter() < deadline:
        for execution in (await owner.call("GET", "/v1/executions?status=success"))["executions"]:
            if execution["outcome_state"]:
                return str(execution["id"])
    raise RuntimeError("the execution to be copied was not delivered")
