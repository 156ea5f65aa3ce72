"""When a failed attempt is tried again (contract §6, Retry)."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from libs.events.cue_settings import (
    Retry,
)
from services.dispatcher.rules.retry import retry_after_seconds, retry_at
from tests.services.dispatcher.examples import MINUTE, NOON, SECOND


def waits(max_attempts: int, *backoff: int) -> list[float | None]:
    """Give the minutes after each failed attempt, None after the last."""
    retry = Retry(max_attempts=max_attempts, backoff_minutes=backoff)
    times = [retry_at(retry, attempt, NOON) for attempt in range(1, max_attempts + 1)]
    return [None if at is None else (at - NOON) / MINUTE for at in times]


@pytest.mark.parametrize(
    ("max_attempts", "backoff", "expected"),
    [
        (1, (1, 5, 15), [None]),
        (2, (1, 5, 15), [1, None]),
        (3, (1, 5, 15), [1, 5, None]),
        (4, (1, 5, 15), [1, 5, 15, None]),
        (6, (1, 5, 15), [1, 5, 15, 15, 15, None]),
        (3, (0,), [0, 0, None]),
        (4, (7,), [7, 7, 7, None]),
        (3, (1440, 0), [1440, 0, None]),
        (10, tuple(range(10)), [0, 1, 2, 3, 4, 5, 6, 7, 8, None]),
    ],
)
def test_the_wait_after_each_attempt(
    max_attempts: int, backoff: tuple[int, ...], expected: list[float | None]
) -> None:
    assert waits(max_attempts, *backoff) == expected


def test_with_the_defaults_tries_come_at_0_1_and_6_minutes() -> None:
    retry, tries = Retry(), [NOON]
    while (again := retry_at(retry, len(tries), tries[-1])) is not None:
        tries.append(again)
    assert [(at - NOON) / MINUTE for at in tries] == [0, 1, 6]


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(None, 60), (0, 60), (59, 60), (61, 61), (3_600, 3_600), (3_601, 60), (10**8, 60)],
)
def test_the_longer_of_backoff_and_retry_after_counts(
    retry_after: int | None, seconds: int
) -> None:
    assert retry_at(Retry(), 1, NOON, retry_after) == NOON + seconds * SECOND


def test_retry_after_grants_no_further_attempt() -> None:
    assert retry_at(Retry(max_attempts=1), 1, NOON, 10) is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("007", 7),
        (None, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        ("0x10", None),
        ("1_000", None),
        ("١٢٠", None),
        ("²", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("9" * 5_000, None),
    ],
)
def test_only_an_integer_retry_after_is_read(
    status: int, header: str | None, seconds: int | None
) -> None:
    assert retry_after_seconds(status, header) == seconds


@pytest.mark.parametrize("status", [200, 301, 400, 404, 408, 410, 500, 502, 504])
def test_only_429_and_503_may_ask_for_time(status: int) -> None:
    assert retry_after_seconds(status, "120") is None


retries = st.builds(
    Retry,
    max_attempts=st.integers(1, 10),
    backoff_minutes=st.lists(st.integers(0, 1_440), min_size=1, max_size=10).map(tuple),
)


@hypothesis_settings(max_examples=60, deadline=None)
@for_all(retries, st.integers(1, 12), st.none() | st.integers(0, 10_000))
def test_a_retry_is_never_early_and_never_one_too_many(
    retry: Retry, attempt: int, retry_after: int | None
) -> None:
    again = retry_at(retry, attempt, NOON, retry_after)
    assert (again is None) == (attempt >= retry.max_attempts)
    if again is not None:
        wait = (again - NOON).total_seconds()
        assert wait / 60 >= min(retry.backoff_minutes)
        assert wait <= max(3_600, 60 * max(retry.backoff_minutes))
        if retry_after is not None and retry_after <= 3_600:
            assert wait >= retry_after
