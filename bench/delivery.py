"""How many executions a second, and how late, from due to the receiver's first byte."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from functools import partial

from bench.load import Client, concurrently, in_seconds, next_minute, percentiles

WAIT_SECONDS = 120.0


async def burst(client: Client, count: int, lead: float) -> dict[str, float]:
    """Let `count` recurring cues come due in the same instant; give rate and lateness.

    The instant is the first whole minute that is at least `lead` seconds away.
    """
    await client.arrivals()
    at = next_minute(lead)
    name = f"burst-{time.time_ns()}"
    await concurrently(
        32, [partial(client.create_recurring, f"{name}-{i}", at) for i in range(count)]
    )
    if in_seconds(0) >= at:
        raise RuntimeError(f"{count} cues could not be created in {lead:g} s")
    arrivals = await collect(client, count)
    late = [arrived - at.timestamp() for _, _, arrived in arrivals]
    return {
        "executions": count,
        "per_second": count / max(late),
        "duplicates": len(arrivals) - count,
        **{f"late_{k}_ms": v * 1000 for k, v in percentiles(late).items()},
    }


async def steady(client: Client, per_second: int, seconds: int) -> dict[str, float]:
    """Let once cues come due evenly; give lateness."""
    await client.arrivals()
    count = per_second * seconds
    start = in_seconds(count / 150 + 5)
    due = [start.timestamp() + i / per_second for i in range(count)]
    name = f"steady-{time.time_ns()}"
    await concurrently(
        32,
        [
            partial(
                client.create_once,
                f"{name}-{i}",
                datetime.fromtimestamp(due[i], start.tzinfo),
                f"/steady/{i}",
            )
            for i in range(count)
        ],
    )
    arrivals = await collect(client, count)
    late = [arrived - due[int(path.rsplit("/", 1)[1])] for path, _, arrived in arrivals]
    return {
        "executions": count,
        "duplicates": len(arrivals) - count,
        **{f"late_{k}_ms": v * 1000 for k, v in percentiles(late).items()},
    }


async def collect(
    client: Client, count: int, seconds: float = WAIT_SECONDS
) -> list[tuple[str, str, float]]:
    """Wait for so many POSTs; an error if they do not come in time."""
    deadline = time.perf_counter() + seconds
    arrivals: list[tuple[str, str, float]] = []
    while len(arrivals) < count and time.perf_counter() < deadline:
        await asyncio.sleep(1)
        arrivals += await client.arrivals()
    if len(arrivals) < count:
        raise RuntimeError(f"only {len(arrivals)} of {count} executions arrived")
    return arrivals
