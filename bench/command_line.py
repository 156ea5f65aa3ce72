"""How long the command line takes to show its help: from the shell, as users wait for it."""

from __future__ import annotations

import asyncio
import sys
import time

from bench.load import percentiles

RUNS = 21


async def command_line() -> dict[str, float]:
    """Run `cueapi --help` so often; give milliseconds."""
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cueapi_cli", "--help", stdout=asyncio.subprocess.DEVNULL
        )
        await program.wait()
        took.append((time.perf_counter() - began) * 1000)
    return {"least_ms": min(took), **{f"{k}_ms": v for k, v in percentiles(took).items()}}
