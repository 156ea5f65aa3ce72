"""The simulation finds what it is for: each broken system is caught within a few seeds."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.world import Size, simulate

SEEDS = range(1, 9)
SIZE = Size(days=1.0, accounts=3, cues=10)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_system_is_caught(name: str) -> None:
    parts, said = MUTANTS[name]
    for seed in SEEDS:
        if any(said in fault for fault in simulate(seed, SIZE, parts=parts).faults):
            return
    pytest.fail(f"{name}: no seed of {SEEDS} finds it")
