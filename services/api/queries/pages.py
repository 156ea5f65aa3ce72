"""A page of a list and the number of all matches, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol


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


# The left join gives one row even when the page is empty: the counts stand in it.
_PAGE = """
select counts.*, page.*
  from (select count(*) as total /*extra*/ from /*view*/ where /*filters*/) counts
  left join lateral (
    select /*columns*/ from /*view*/ where /*filters*/
     order by created_at desc, id desc limit %(limit)s offset %(offset)s
  ) page on true
"""


async def page_of(
    database: Reads,
    view: str,
    columns: str,
    filters: Filters,
    page: Page,
    extra_counts: str = "",
) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """Read a page, newest first; give the counts over all matches, and the rows.

    `columns` must include `id`. `extra_counts` adds aggregates beside `total`.
    """
    sql = (
        _PAGE.replace("/*view*/", view)
        .replace("/*columns*/", columns)
        .replace("/*filters*/", filters.sql)
        .replace("/*extra*/", extra_counts)
    )
    rows = await database.rows(sql, {**filters.params, "limit": page.limit, "offset": page.offset})
    return rows[0], [row for row in rows if row["id"] is not None]
