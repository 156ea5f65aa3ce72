"""Cron expressions of contract §5: parsed once, then stepped on a wall clock without zones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from libs.schedules.bitset import first_from, smallest
from libs.schedules.days import DayRule, parse_days
from libs.schedules.fields import HOUR, MINUTE, MONTH, InvalidCron, parse_field

__all__ = ["SEARCH_YEARS", "Cron", "InvalidCron", "first_match", "matches", "parse"]

MAX_LENGTH = 100
SEARCH_YEARS = 50
"""How far ahead a match must lie. The rarest date, a 29 February on one weekday, comes within 40
years wherever one starts, so what does not match in 50 years never does."""

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MINUTE = timedelta(minutes=1)
_EVERY = re.compile(r"\*(/\d+)?")


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression, understood. Two are equal when their text is.

    `minutes`, `hours` and `months` are bitsets. `every_pass` tells which DST rule holds: true when
    the minute or the hour field is `*` or `*/n`, and so follows the clock as it really runs.
    """

    expression: str
    minutes: int = field(compare=False, repr=False)
    hours: int = field(compare=False, repr=False)
    months: int = field(compare=False, repr=False)
    days: DayRule = field(compare=False, repr=False)
    every_pass: bool = field(compare=False, repr=False)

    def days_in(self, year: int, month: int) -> int:
        """Return the bitset of matching days of that month."""
        return self.days.in_month(year, month) if self.months >> month & 1 else 0


@lru_cache(maxsize=8192)
def parse(expression: str) -> Cron:
    """Return the meaning of a cron expression of at most 100 characters (contract §5).

    Five fields (minute, hour, day, month, weekday) between blanks, or an alias such as `@daily`.
    Raises InvalidCron, also when no date matches within 50 years.
    """
    minute, hour, day, month, weekday = _split(expression)
    cron = Cron(
        expression=expression,
        minutes=parse_field(MINUTE, minute),
        hours=parse_field(HOUR, hour),
        months=parse_field(MONTH, month),
        days=parse_days(day, weekday),
        every_pass=bool(_EVERY.fullmatch(minute) or _EVERY.fullmatch(hour)),
    )
    # Any start will do, see SEARCH_YEARS.
    if first_match(cron, datetime(2000, 1, 1), 2000 + SEARCH_YEARS) is None:  # noqa: DTZ001
        raise InvalidCron(
            f"day, month: no date within {SEARCH_YEARS} years matches day '{day}', month '{month}',"
            f" weekday '{weekday}'; choose a day that the month has, or L for its last day"
        )
    return cron


def matches(cron: Cron, local: datetime) -> bool:
    """Tell whether the minute that a clock shows matches."""
    return bool(
        cron.minutes >> local.minute & 1
        and cron.hours >> local.hour & 1
        and cron.days_in(local.year, local.month) >> local.day & 1
    )


def first_match(cron: Cron, start: datetime, last_year: int) -> datetime | None:
    """Return the first minute from `start` on that matches, None if past `last_year`.

    Both are what a clock shows: naive, or with the `tzinfo` of `start`, which is only carried on.
    """
    if start.second or start.microsecond:
        start = _at(start, start.year, start.month, start.day, start.hour, start.minute) + _MINUTE
    year, month = start.year, start.month
    days = cron.days_in(year, month)
    if days >> start.day & 1:
        time = _first_time(cron, start.hour, start.minute)
        if time is not None:
            return _at(start, year, month, start.day, *time)
    day = first_from(days, start.day + 1)
    while day is None:
        year, month = _next_month(cron, year, month)
        if year > last_year:
            return None
        day = first_from(cron.days_in(year, month), 1)
    return _at(start, year, month, day, smallest(cron.hours), smallest(cron.minutes))


def _next_month(cron: Cron, year: int, month: int) -> tuple[int, int]:
    later = first_from(cron.months, month + 1)
    return (year + 1, smallest(cron.months)) if later is None else (year, later)


def _first_time(cron: Cron, hour: int, minute: int) -> tuple[int, int] | None:
    """Return the first matching (hour, minute) of a day from the given one on."""
    if cron.hours >> hour & 1:
        found = first_from(cron.minutes, minute)
        if found is not None:
            return hour, found
    later = first_from(cron.hours, hour + 1)
    return None if later is None else (later, smallest(cron.minutes))


def _at(like: datetime, year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    # By position: keywords, and replace(), cost three times as much.
    return datetime(year, month, day, hour, minute, 0, 0, like.tzinfo)


def _split(expression: str) -> list[str]:
    if len(expression) > MAX_LENGTH:
        raise InvalidCron(f"the expression has over {MAX_LENGTH} characters; shorten its lists")
    if not expression.isascii():
        raise InvalidCron("the expression may only hold ASCII characters; type it again by hand")
    text = expression.strip(" \t")
    if text.startswith("@"):
        text = _ALIASES.get(text.lower(), text)
        if text.startswith("@"):
            raise InvalidCron(f"'{text}' is not supported; use one of {', '.join(_ALIASES)}")
    fields = re.split(r"[ \t]+", text) if text else []
    if len(fields) != 5:
        advice = "leave out seconds and years" if len(fields) > 5 else "write * where any will do"
        raise InvalidCron(
            f"the expression has {len(fields)} fields, not 5"
            f" (minute hour day month weekday); {advice}"
        )
    return fields
