"""A page of a list and the number of all matches.

Up to `COUNTED_AT_ONCE` matches are counted in the page's own round trip, exactly. Counting more
takes as long as reading them: such a total is counted once for all who ask, and serves for twenty
times as long as that took, and once more as long while it is counted again
(docs/decisions/0016).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol

from libs.runtime.clock import monotonic
from libs.runtime.gathering import Shared

COUNTED_AT_ONCE = 1_000
REMEMBERED = 10_000
_LEAST_SECONDS = 1.0
_TIMES_THE_COST = 20


class Reads(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """Give the rows as dictionaries."""
        ...

    async def each(self, sql: str, item: Mapping[str, Any]) -> list[Any]:
        """Give the rows for one item of a set-based statement."""
        ...


class Page(NamedTuple):
    """Where a page begins and how long it may be."""

    limit: int
    offset: int


class Filters:
    """Conditions that all must hold, with their parameters."""

    def __init__(self, account_id: str) -> None:
        self._conditions = ["account_id = %(account)s"]
        self.params: dict[str, Any] = {"account": account_id}

    def equal(self, column: str, value: Any) -> None:
        """Let a column have one value; None is no condition."""
        if value is not None:
            self.add(f"{column} = %({column})s", {column: value})

    def add(self, condition: str, params: Mapping[str, Any]) -> None:
        """Add a condition in SQL, and what it names."""
        self._conditions.append(condition)
        self.params |= params

    @property
    def sql(self) -> str:
        """All conditions as one."""
        return " and ".join(self._conditions)


class Listing(NamedTuple):
    """What a list is of: a view, its columns (`id` among them), and an instant to look out for."""

    view: str
    columns: str
    instant: str = "null::timestamptz"


class Count(NamedTuple):
    """The number of all matches, and the earliest of the listing's instants among them."""

    total: int
    earliest: datetime | None


class Found(NamedTuple):
    """A page's rows, newest first, and the count over all matches."""

    rows: Sequence[Mapping[str, Any]]
    counted: Count


class _Known(NamedTuple):
    counted: Count
    fresh_until: float
    usable_until: float


_ROWS = """
select /*columns*/ from /*view*/ where /*filters*/
 order by created_at desc, id desc limit %(limit)s offset %(offset)s
"""
# The left join gives one row even when the page is empty: the counts stand in it. The order keeps
# Postgres on the index that the page is read by; it stops there after as many as it may count.
_ROWS_AND_COUNT = """
select counts.*, page.*
  from (select count(*) as total, min(instant) as earliest
          from (select /*instant*/ as instant from /*view*/ where /*filters*/
                 order by created_at desc, id desc limit /*most*/) few) counts
  left join lateral (/*rows*/) page on true
"""
_COUNT = """
select count(*) as total, min(/*instant*/) as earliest from /*view*/ where /*filters*/
"""


class Pages:
    """Reads pages; those who ask for the same at the same time share one reading."""

    def __init__(self, database: Reads, *, seconds: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._seconds = seconds
        self._reading: Shared[list[Any]] = Shared()
        self._counting: Shared[Count] = Shared()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def read(self, listing: Listing, filters: Filters, page: Page) -> Found:
        """Read a page, newest first, and count all matches."""
        known = self._known.get(key := _key(listing, filters))
        recount = partial(self._recount, key, listing, filters)
        if known is not None and self._seconds() < known.usable_until:
            if self._seconds() >= known.fresh_until:
                self._counting.begin(key, recount)
            count, rows = known.counted, await self._ask(_ROWS, listing, filters, page)
        else:
            found = await self._ask(_ROWS_AND_COUNT, listing, filters, page)
            count = Count(found[0]["total"], found[0]["earliest"])
            rows = [row for row in found if row["id"] is not None]
            if count.total > COUNTED_AT_ONCE:
                count = await self._counting.run(key, recount)
        return Found(rows, count._replace(total=_at_least(count.total, page, len(rows))))

    async def _ask(self, sql: str, listing: Listing, filters: Filters, page: Page) -> list[Any]:
        params = {**filters.params, "limit": page.limit, "offset": page.offset}
        ask = partial(self._database.rows, _filled(sql, listing, filters), params)
        return await self._reading.run(f"{sql}{_key(listing, filters)}{page}", ask)

    async def _recount(self, key: str, listing: Listing, filters: Filters) -> Count:
        known, began = self._known.get(key), self._seconds()
        if known is not None and began < known.fresh_until:
            return known.counted
        (row,) = await self._database.rows(_filled(_COUNT, listing, filters), filters.params)
        count, now = Count(row["total"], row["earliest"]), self._seconds()
        serves = max(_LEAST_SECONDS, (now - began) * _TIMES_THE_COST)
        self._known[key] = _Known(count, now + serves, now + 2 * serves)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return count


def _filled(sql: str, listing: Listing, filters: Filters) -> str:
    return (
        sql.replace("/*rows*/", _ROWS)
        .replace("/*most*/", str(COUNTED_AT_ONCE + 1))
        .replace("/*view*/", listing.view)
        .replace("/*columns*/", listing.columns)
        .replace("/*instant*/", listing.instant)
        .replace("/*filters*/", filters.sql)
    )


def _key(listing: Listing, filters: Filters) -> str:
    return f"{listing.view} {filters.sql} {sorted(filters.params.items())}"


def _at_least(total: int, page: Page, rows: int) -> int:
    """Let a total that is a little old not contradict its page: whose end, if reached, is known."""
    end = page.offset + rows
    return end if 0 < rows < page.limit else max(total, end if rows else 0)
