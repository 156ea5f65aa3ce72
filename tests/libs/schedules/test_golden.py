from __future__ import annotations

from tests.libs.schedules.golden import load, recomputed


def test_no_schedule_has_moved() -> None:
    cases = load()
    moved = [(case, recomputed(case)["next"]) for case in cases if recomputed(case) != case]
    assert moved == [], f"{len(moved)} of {len(cases)} schedules have moved, see golden.py"
