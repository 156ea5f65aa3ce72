"""Worlds of fixed seeds, and a fresh one with each run (design §7)."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys

import pytest

from tests.simulation.__main__ import told
from tests.simulation.engine import CALM
from tests.simulation.world import Size, simulate

# The first found a cue whose alert, told twice, stopped all windows from being watched.
SEEDS = (3, 28, 102)
FRESH = secrets.randbelow(10**9)
SIZE = Size()


@pytest.mark.parametrize("seed", [*SEEDS, pytest.param(FRESH, id="fresh")])
def test_a_world_of_faults_keeps_every_promise(seed: int) -> None:
    print(f"seed {seed}")
    seen = simulate(seed, SIZE)
    assert not seen.faults, told(seed, SIZE, seen.faults)
    assert seen.cue_days > 100
    assert seen.executions > 100


def test_a_world_without_faults_is_quiet() -> None:
    seen = simulate(7, Size(days=2.0), storms=CALM)
    assert not seen.faults


def test_a_seed_repeats_itself_in_another_process() -> None:
    def digest(hash_seed: str) -> str:
        command = [sys.executable, "-m", "tests.simulation", "--seed=5", "--days=0.5", "--trace"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        told = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
        lines = told.splitlines()[:-1]  # the last one says how long it took
        assert len(lines) > 500
        return hashlib.sha256(b"\n".join(lines)).hexdigest()

    assert digest("1") == digest("2")
