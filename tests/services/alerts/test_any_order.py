"""Each row of failures is told once, in whatever order and however often news of it comes."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.cue_settings import (
    AlertRules,
)
from services.alerts.decider.episodes import Called, PastAlert, alerts_called_for, is_news
from services.alerts.rules.failures import failure_row
from tests.services.alerts.test_alerts_called_for import executions
from tests.services.dispatcher.examples import NOON
from tests.services.scheduler.examples import settings

STAGES = ("failed", "failed", "reported failure", "reported", "missed", "success")


def rows_in(stages: Sequence[str], threshold: int) -> list[str]:
    """Name the first failure of every row that is long enough, oldest row first."""
    rows: list[list[str]] = [[]]
    for number, stage in enumerate(stages):
        if stage == "reported":
            rows.append([])
        elif "fail" in stage:
            rows[-1].append(f"e{number}")
    return [row[0] for row in rows if len(row) >= threshold]


def news_of(stages: Sequence[str], random: Random) -> list[tuple[int, int]]:
    """Say when news of each failure comes, once or more: how many had ended by then, and whose."""
    news = [
        (random.randint(number + 1, len(stages)), number)
        for number, stage in enumerate(stages)
        if "fail" in stage
        for _ in range(random.randint(1, 3))
    ]
    random.shuffle(news)
    return sorted(news, key=lambda item: item[0])


@for_all(
    st.lists(st.sampled_from(STAGES), max_size=25),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_each_row_is_told_once(stages: list[str], threshold: int, random: Random) -> None:
    chosen = settings(alerts=AlertRules(consecutive_failures=threshold))
    made: list[Any] = executions(*stages)[::-1]
    known: list[PastAlert] = []
    for ended, number in news_of(stages, random):
        newest_first = made[:ended][::-1]
        row = failure_row(newest_first, f"e{number}")
        for call in alerts_called_for(made[number], chosen, row, known, NOON):
            if is_news(call, known, NOON):
                known.insert(0, _raised(call))
    assert sorted(alert.episode for alert in known) == sorted(rows_in(stages, threshold))


def _raised(call: Called) -> PastAlert:
    return PastAlert(
        kind=call.kind, episode=call.episode, created_at=NOON, execution_id=call.execution_id
    )
