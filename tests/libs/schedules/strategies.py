"""Cron expressions and zones for the properties."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from libs.schedules.zones import all_zones, zone

zones = st.sampled_from(all_zones()).map(zone)
TEN_YEARS = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC))


@st.composite
def _ranges(draw: st.DrawFn, low: int, high: int) -> str:
    first = draw(st.integers(low, high - 1))
    last = draw(st.integers(first + 1, high))  # of 5-5 both oracles make something of their own
    step = draw(st.sampled_from(["", "", f"/{draw(st.integers(1, 20))}"]))
    return f"{first}-{last}{step}"


def _fields(low: int, high: int, *special: str) -> st.SearchStrategy[str]:
    term = st.one_of(
        st.integers(low, high).map(str),
        _ranges(low, high),
        st.integers(1, 30).map(lambda step: f"*/{step}"),
        *(st.just(text) for text in special),
    )
    lists = st.lists(term, min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), st.integers(1, 30).map(lambda step: f"*/{step}"), lists)


def expressions() -> st.SearchStrategy[str]:
    """Everything that cronsim and the contract understand alike."""
    return st.tuples(
        _fields(0, 59),
        _fields(0, 23),
        st.one_of(st.just("*"), _fields(1, 31, "L")),
        st.one_of(st.just("*"), st.just("*"), _fields(1, 12, "JAN", "dec")),
        st.one_of(st.just("*"), _fields(0, 7, "SUN", "fri", "5L", "0L", "7#1", "MON#2", "3#5")),
    ).map(" ".join)


def often_due_expressions() -> st.SearchStrategy[str]:
    """Those that are due within a few days more often than not."""
    return st.tuples(
        _fields(0, 59),
        _fields(0, 23),
        st.sampled_from(["*", "*", "*", "*/2", "L"]),
        st.just("*"),
        st.sampled_from(["*", "*", "*", "0", "SUN", "6,0", "0#2", "0L"]),
    ).map(" ".join)
