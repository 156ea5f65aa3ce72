from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.clock import monotonic, read_from, rfc3339, unix_now, unix_seconds, utc_now

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (NINE, "2026-03-01T09:00:00Z"),
        (NINE.replace(microsecond=1), "2026-03-01T09:00:00.000001Z"),
        (NINE.replace(microsecond=500_000), "2026-03-01T09:00:00.500000Z"),
        (NINE.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-03-01T09:00:00Z"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2025-12-31T23:30:00Z"),
    ],
)
def test_an_instant_is_written_in_utc(instant: datetime, text: str) -> None:
    assert rfc3339(instant) == text


@given(st.datetimes(timezones=st.timezones()).filter(lambda at: 1 < at.year < 9999))
def test_what_is_written_reads_as_the_same_instant(instant: datetime) -> None:
    assert datetime.fromisoformat(rfc3339(instant)) == instant.astimezone(UTC)


def test_the_clocks_agree() -> None:
    assert utc_now().utcoffset() == timedelta(0)
    assert abs(utc_now().timestamp() - unix_now()) < 2
    assert monotonic() <= monotonic()


def test_other_clocks_are_read_within_their_block_alone() -> None:
    with read_from(lambda: 1_772_355_600.5, lambda: 42.0):
        assert utc_now() == datetime(2026, 3, 1, 9, 0, 0, 500_000, tzinfo=UTC)
        assert (unix_now(), unix_seconds(), monotonic()) == (1_772_355_600, 1_772_355_600.5, 42.0)
    assert unix_now() != 1_772_355_600
