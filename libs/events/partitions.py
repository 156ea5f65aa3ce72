"""The log's partitions: one a month, made ahead of time. Pure."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

MONTHS_AHEAD = 3

_ENSURE_PARTITION = """
create table if not exists {partition} partition of events
  for values from ('{month:%Y-%m-%d}') to ('{after:%Y-%m-%d}')
"""


def partition_statements(today: date) -> list[str]:
    """The statements that make this month's partition and those of the months ahead."""
    months = [month_after(today.replace(day=1), count) for count in range(MONTHS_AHEAD + 2)]
    return [
        _ENSURE_PARTITION.format(partition=partition_of(month), month=month, after=after)
        for month, after in pairwise(months)
    ]


def partition_of(month: date) -> str:
    """Name the partition of the streams that began in the month of this first day."""
    return f"events_{month:%Y_%m}"


def month_after(month: date, count: int) -> date:
    """Give the first day of the month that comes `count` months later."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)
