"""The log's partitions: one a month, made ahead of time. Pure."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

MONTHS_AHEAD = 3

_ENSURE_PARTITION = """
create table if not exists events_{month:%Y_%m} partition of events
  for values from ('{month:%Y-%m-%d}') to ('{after:%Y-%m-%d}')
"""


def partition_statements(today: date) -> list[str]:
    """The statements that make this month's partition and those of the months ahead."""
    months = [_month_after(today.replace(day=1), count) for count in range(MONTHS_AHEAD + 2)]
    return [_ENSURE_PARTITION.format(month=month, after=after) for month, after in pairwise(months)]


def _month_after(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)
