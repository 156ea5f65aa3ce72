"""Simulate: `python -m tests.simulation [--seed N] [--seeds K] [--days D] [--trace]`."""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from tests.simulation.world import Size, simulate


def main() -> int:
    """Live through worlds; 1 if anything was wrong in one."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first world's seed; a fresh one without it")
    parser.add_argument("--seeds", type=int, default=1, help="how many worlds, seed by seed")
    parser.add_argument("--days", type=float, default=Size().days, help="how long a world lives")
    parser.add_argument("--trace", action="store_true", help="tell everything that happens")
    chosen = parser.parse_args()
    first = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    size = Size(days=chosen.days)
    began, days, executions, bad = time.process_time(), 0.0, 0, 0
    for seed in range(first, first + chosen.seeds):
        seen = simulate(seed, size, trace=print if chosen.trace else None)
        days, executions = days + seen.cue_days, executions + seen.executions
        if seen.faults:
            bad += 1
            print(told(seen.seed, size, seen.faults))
    seconds = time.process_time() - began
    print(
        f"{chosen.seeds} worlds from seed {first}: {days:,.0f} cue-days, {executions:,} executions"
        f" in {seconds:.1f} s of one core: {days / seconds * 60:,.0f} cue-days a minute;"
        f" {bad} with faults"
    )
    return 1 if bad else 0


def told(seed: int, size: Size, faults: list[str]) -> str:
    """Say what was wrong in a world, and how to see it again."""
    shown = "\n  ".join(fault[:600] for fault in faults[:10])
    return (
        f"seed {seed}: {len(faults)} faults\n  {shown}\n"
        f"replay: .venv/bin/python -m tests.simulation --seed {seed} --days {size.days:g} --trace"
    )


if __name__ == "__main__":
    sys.exit(main())
