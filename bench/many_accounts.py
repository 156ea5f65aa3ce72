"""How late many small accounts are beside one account with very many due cues."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from functools import partial

from bench.delivery import collect
from bench.filling import copy_cue, opened, settle
from bench.load import Client, concurrently, next_minute, percentiles
from bench.scale import scaled

HUGE = 10_000
SMALL, CUES = 50, 2
LEAD_SECONDS = 10.0


async def many_accounts(client: Client, database_url: str) -> dict[str, float]:
    """Let the small accounts' cues come due alone, and then together with the huge account's."""
    alone = await _late(client, database_url, 0)
    beside = await _late(client, database_url, scaled(HUGE))
    return {
        "huge_due": scaled(HUGE),
        "small_accounts": SMALL,
        **{f"alone_{name}_ms": value * 1000 for name, value in alone.items()},
        **{f"beside_{name}_ms": value * 1000 for name, value in beside.items()},
        "p99_ratio": beside["p99"] / alone["p99"],
    }


async def _late(client: Client, database_url: str, huge: int) -> dict[str, float]:
    await client.arrivals()
    at, stamp = next_minute(LEAD_SECONDS), time.time_ns()
    async with AsyncExitStack() as stack, opened(database_url) as database:
        small = [
            await stack.enter_async_context(Client(client.base_url, client.receiver_url))
            for _ in range(SMALL)
        ]
        await concurrently(
            8,
            [
                partial(each.create_once, f"small-{n}", at, "/small")
                for each in small
                for n in range(CUES)
            ],
        )
        if huge:
            cue = await client.create_once(f"huge-{stamp}", at, "/huge")
            await copy_cue(database, cue, huge - 1)
            await settle(database, "cues")
        if time.time() >= at.timestamp():
            raise RuntimeError("the cues could not be made in time")
        arrivals = await collect(client, SMALL * CUES + huge)
    late = [arrived - at.timestamp() for path, _, arrived in arrivals if path == "/small"]
    return percentiles(late)
