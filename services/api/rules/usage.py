"""The month in figures (contract nr 39). All dates are UTC."""

from __future__ import annotations

import calendar
from datetime import date
from typing import NamedTuple


class Month(NamedTuple):
    """The calendar month that a day lies in; `elapsed` counts that day too."""

    start: date
    end: date
    elapsed: int
    days: int

    @property
    def days_remaining(self) -> int:
        """Days after this one."""
        return self.days - self.elapsed


def month_of(today: date) -> Month:
    """The month of a day."""
    days = calendar.monthrange(today.year, today.month)[1]
    return Month(today.replace(day=1), today.replace(day=days), today.day, days)


def percent(used: int, limit: int) -> float:
    """`used` in percent of `limit`."""
    return used * 100 / limit


def projected(used: int, month: Month) -> int:
    """What the month will have used if it goes on as it has been."""
    return round(used / month.elapsed * month.days)
