"""A due row that breaks whoever takes it stops nobody else, and is tried again now and then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.quarantine import (
    BROKEN,
    FIRST_SECONDS,
    MOST_SECONDS,
    Batch,
    Quarantine,
)
from libs.events.timers import Look
from libs.runtime.postgres import Conflict, Unavailable

LIMIT = 8


class Table:
    """Rows that are due, in order; taking one of `bad` fails the whole batch."""

    def __init__(self, rows: int, bad: dict[str, Exception]) -> None:
        self.due = [f"r{number}" for number in range(rows)]
        self.bad = bad
        self.waiting: set[str] = set()
        self.sizes: list[int] = []
        self.now = 0.0
        self.quarantine = Quarantine("test", lambda: self.now)

    async def take(self, batch: Batch) -> Look:
        batch.taken += [row for row in self.due if row not in batch.without][: batch.limit]
        self.sizes.append(len(batch.taken))
        for row in batch.taken:
            if row in self.bad:
                raise self.bad[row]
        self.due = [row for row in self.due if row not in batch.taken or row in self.waiting]
        return Look(taken=len(batch.taken), more=len(batch.taken) == batch.limit)

    async def look(self) -> Look:
        return await self.quarantine.look(LIMIT, self.take)

    async def until_quiet(self) -> None:
        for _ in range(20 * len(self.due) + 20):
            if not (await self.look()).more:
                return
        raise AssertionError("it looks again and again")


@given(st.sets(st.integers(0, 29), max_size=6))
async def test_only_the_bad_rows_are_left(bad: set[int]) -> None:
    table = Table(30, {f"r{number}": ValueError("broken") for number in bad})
    await table.until_quiet()
    assert set(table.due) == set(table.bad)


async def test_one_bad_row_in_many_is_found_in_halves() -> None:
    table = Table(LIMIT, {"r0": ValueError("broken")})
    await table.until_quiet()
    assert table.sizes == [8, 4, 2, 1, 1, 2, 4, 0]


async def test_good_rows_that_stay_due_do_not_hide_a_bad_one() -> None:
    table = Table(6, {"r3": ValueError("broken")})
    table.waiting = {"r0", "r1", "r2"}
    await table.until_quiet()
    assert table.due == ["r0", "r1", "r2", "r3"]


async def test_all_at_once_again_after_a_bad_row() -> None:
    table = Table(5 * LIMIT, {"r0": ValueError("broken")})
    await table.until_quiet()
    assert table.sizes[-3:-1] == [LIMIT, LIMIT]


@pytest.mark.parametrize("error", [ValueError("broken"), Conflict("the slot is taken")])
async def test_a_bad_row_is_tried_again_ever_less_often_and_counted(error: Exception) -> None:
    table = Table(1, {"r0": error})
    counted = BROKEN.labels("test")._value.get()
    gaps, last = [], 0.0
    while table.now < 3 * MOST_SECONDS:
        before = len([size for size in table.sizes if size])
        await table.until_quiet()
        if len([size for size in table.sizes if size]) > before:
            gaps.append(table.now - last)
            last = table.now
        table.now += FIRST_SECONDS / 4
    assert BROKEN.labels("test")._value.get() - counted == len(gaps)
    assert gaps[1] <= FIRST_SECONDS * 1.5
    assert MOST_SECONDS / 2 <= gaps[-1] <= MOST_SECONDS + FIRST_SECONDS
    assert len(gaps) < 20


async def test_a_row_that_is_good_again_begins_anew() -> None:
    table = Table(1, {"r0": Conflict("overtaken")})
    await table.until_quiet()
    table.bad.clear()
    table.now += FIRST_SECONDS
    await table.until_quiet()
    assert table.due == []
    table.due, table.bad = ["r0"], {"r0": ValueError("broken")}
    await table.until_quiet()
    table.now += FIRST_SECONDS
    table.bad.clear()
    await table.until_quiet()
    assert table.due == [], "it was passed over as if it had never been good"


async def test_postgres_being_away_is_no_rows_fault() -> None:
    table = Table(3, {"r1": Unavailable("away")})
    with pytest.raises(Unavailable):
        await table.look()
    table.bad.clear()
    await table.until_quiet()
    assert table.sizes == [3, 3]


@pytest.mark.parametrize("error", [ZeroDivisionError(), Conflict("no lock in time")])
async def test_what_fails_before_a_row_is_taken_is_raised(error: Exception) -> None:
    async def fail(_: Batch) -> Look:
        raise error

    with pytest.raises(type(error)):
        await Quarantine("test").look(LIMIT, fail)


async def test_what_is_set_aside_is_bounded() -> None:
    table = Table(25, {})
    table.quarantine = Quarantine("test", lambda: table.now, most_rows=20)
    table.bad = {row: ValueError("broken") for row in table.due}
    for _ in range(10 * len(table.due)):
        await table.look()
    without: list[int] = []

    async def count(batch: Batch) -> Look:
        without.append(len(batch.without))
        return Look(taken=0)

    await table.quarantine.look(LIMIT, count)
    assert without == [20]
