"""How large a run is: `CUEAPI_BENCH_SCALE=0.01` makes the large questions a hundredth as large."""

from __future__ import annotations

import os

SCALE = float(os.environ.get("CUEAPI_BENCH_SCALE", "1"))


def scaled(count: int) -> int:
    """Give a number of rows at this run's scale, 10 at least."""
    return max(10, round(count * SCALE))
