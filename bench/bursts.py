"""Very many cues that are due in the same instant: how many a second, and how late."""

from __future__ import annotations

import time

from bench.delivery import collect
from bench.filling import copy_cue, opened, settle
from bench.load import Client, next_minute, percentiles
from bench.scale import scaled

LEAD_SECONDS = 30.0


async def burst_of_rows(client: Client, database_url: str, count: int) -> dict[str, float]:
    """Let this many cues, copied by SQL, come due in one instant; none may be missing."""
    count = scaled(count)
    await client.arrivals()
    at = next_minute(LEAD_SECONDS * count / 100_000)
    cue = await client.create_recurring(f"burst-of-rows-{time.time_ns()}", at)
    async with opened(database_url) as database:
        await copy_cue(database, cue, count - 1)
        await settle(database, "cues")
    if time.time() >= at.timestamp():
        raise RuntimeError(f"{count} cues could not be copied in time")
    arrivals = await collect(client, count, seconds=max(120.0, count / 100))
    late = [arrived - at.timestamp() for _, _, arrived in arrivals]
    return {
        "executions": count,
        "per_second": count / max(late),
        "duplicates": len(arrivals) - count,
        **{f"late_{k}_ms": v * 1000 for k, v in percentiles(late).items()},
    }
