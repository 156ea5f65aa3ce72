"""What schedules meant when this was committed: five occurrences for each line of `golden.jsonl`.

An upgrade of tzdata or a change of ours that moves a user's schedule shows up as a difference. If
it is meant, `python -m tests.libs.schedules.golden` writes the file anew.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypedDict

from libs.schedules.cron import parse
from libs.schedules.occurrences import occurrences
from libs.schedules.zones import zone
from tests.libs.schedules.oracle import utc

GOLDEN = Path(__file__).with_name("golden.jsonl")


class Case(TypedDict):
    """Instants are local times with their offset, which says both what and when."""

    cron: str
    zone: str
    after: str
    next: list[str]


def load() -> list[Case]:
    return [json.loads(line) for line in GOLDEN.read_text().splitlines()]


def recomputed(case: Case) -> Case:
    place, after = zone(case["zone"]), datetime.fromisoformat(case["after"])
    found = islice(occurrences(parse(case["cron"]), place, after, utc("9000-01-01")), 5)
    return {**case, "next": [slot.astimezone(place).isoformat() for slot in found]}


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{json.dumps(recomputed(case))}\n" for case in load()))
