"""How late a single due cue is, and what idling costs, as the number of active cues grows."""

from __future__ import annotations

import time
from typing import Any

from bench.delivery import steady
from bench.filling import copy_cue, forget_copies, opened, settle
from bench.load import Client, in_seconds
from bench.processes import idle
from bench.scale import scaled

SIZES = (1_000, 100_000, 1_000_000)
PER_SECOND, SECONDS = 2, 30
DAYS = 86_400 * 30


async def one_due_among_many(
    client: Client, database_url: str, pids: dict[str, int]
) -> dict[str, Any]:
    """Fill up to each size with cues that are due in a month; measure at each."""
    cue = await client.create_once(f"idle-{time.time_ns()}", in_seconds(DAYS))
    figures: dict[str, Any] = {}
    there = 1
    async with opened(database_url) as database:
        for size in SIZES:
            await copy_cue(database, cue, scaled(size) - there)
            there = scaled(size)
            await settle(database, "cues")
            late = await steady(client, PER_SECOND, SECONDS)
            taken = await idle(pids)
            figures[f"late_p50_ms_of_{there}"] = late["late_p50_ms"]
            figures[f"late_p99_ms_of_{there}"] = late["late_p99_ms"]
            for name in ("scheduler", "postgres"):
                figures[f"{name}_idle_percent_of_{there}"] = taken[name]["idle_cpu_percent"]
        await forget_copies(database, cue)
    first, last = (scaled(size) for size in (SIZES[0], SIZES[-1]))
    figures["p99_ratio"] = figures[f"late_p99_ms_of_{last}"] / figures[f"late_p99_ms_of_{first}"]
    return figures
