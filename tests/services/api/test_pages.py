"""Pages of lists: exact totals while they are cheap, a remembered one when they are not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from services.api.queries.pages import COUNTED_AT_ONCE, Filters, Listing, Page, Pages

LISTING = Listing("things", "id, created_at")
FIRST = Page(2, 0)


class Things:
    """A table of so many rows; counting them takes `seconds` on the test's clock."""

    def __init__(self, number: int, seconds: float = 0.0) -> None:
        self.number = number
        self.seconds = seconds
        self.now = 100.0
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.go.set()

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        kind = "both" if "counts.*" in sql else "count" if "count(*)" in sql else "rows"
        self.asked.append(kind)
        await self.go.wait()
        if kind == "count":
            self.now += self.seconds
            return [{"total": self.number, "earliest": None}]
        begin, end = params["offset"], params["offset"] + params["limit"]
        rows: list[dict[str, Any]] = [{"id": n} for n in range(self.number)[begin:end]]
        if kind == "rows":
            return rows
        counts = {"total": min(self.number, COUNTED_AT_ONCE + 1), "earliest": None}
        return [{**counts, **row} for row in rows] or [{**counts, "id": None}]

    async def each(self, sql: str, item: Mapping[str, Any]) -> list[Any]:
        raise AssertionError("pages are read one by one")


def pages_of(things: Things) -> Pages:
    return Pages(things, seconds=lambda: things.now)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def total(pages: Pages, page: Page = FIRST) -> int:
    return (await pages.read(LISTING, Filters("a"), page)).counted.total


async def test_few_are_counted_each_time() -> None:
    things = Things(COUNTED_AT_ONCE)
    pages = pages_of(things)
    assert await total(pages) == COUNTED_AT_ONCE
    things.number -= 1
    assert await total(pages) == COUNTED_AT_ONCE - 1
    assert things.asked == ["both", "both"]


async def test_an_empty_page_has_the_total_of_the_others() -> None:
    found = await pages_of(Things(5)).read(LISTING, Filters("a"), Page(2, 6))
    assert (found.rows, found.counted.total) == ([], 5)


async def test_the_total_of_many_is_remembered_twenty_times_as_long_as_it_took() -> None:
    things = Things(50_000, seconds=3.0)
    pages = pages_of(things)
    assert await total(pages) == 50_000
    things.number += 7
    things.now += 59.9
    assert await total(pages) == 50_000
    assert things.asked == ["both", "count", "rows"]
    things.now += 60.2
    assert await total(pages) == 50_007
    assert things.asked == ["both", "count", "rows", "both", "count"]


async def test_a_total_that_has_aged_serves_while_it_is_counted_again() -> None:
    things = Things(50_000, seconds=3.0)
    pages = pages_of(things)
    assert await total(pages) == 50_000
    things.number += 7
    things.now += 60.1
    assert await total(pages) == 50_000
    await settled()
    assert await total(pages) == 50_007


async def test_a_remembered_total_does_not_contradict_the_last_page() -> None:
    things = Things(50_000, seconds=3.0)
    pages = pages_of(things)
    await total(pages)
    things.number += 7
    assert await total(pages, Page(10, 50_000)) == 50_007
    assert await total(pages, Page(5, 50_001)) == 50_006  # a full page: there may be more


async def test_totals_of_other_filters_are_others() -> None:
    things = Things(50_000, seconds=3.0)
    pages = pages_of(things)
    await total(pages)
    await pages.read(LISTING, Filters("b"), FIRST)
    assert things.asked == ["both", "count"] * 2


async def test_those_who_ask_for_the_same_share_a_reading_that_began_after_they_asked() -> None:
    things = Things(3)
    pages = pages_of(things)
    things.go.clear()
    first = asyncio.create_task(total(pages))
    await settled()
    later = [asyncio.create_task(total(pages)) for _ in range(20)]
    await asyncio.sleep(0)
    things.number = 4
    things.go.set()
    assert await first == 4
    assert await asyncio.gather(*later) == [4] * 20
    assert things.asked == ["both", "both"]
