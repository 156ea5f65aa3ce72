"""Which days of a month a cron expression means: its day and weekday fields, taken together."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from functools import lru_cache

from libs.schedules.bitset import bitset
from libs.schedules.fields import (
    DAY,
    WEEKDAY,
    InvalidCron,
    parse_field,
    parse_term,
    parse_value,
    split_list,
)

EVERY_WEEKDAY = 0b111_1111
EVERY_DAY = bitset(range(1, 32))
_SIX_WEEKS = bitset(range(0, 42, 7))
"""Multiplied by a week's bits, repeats them often enough to cover any month."""


@dataclass(frozen=True, slots=True)
class DayRule:
    """The days of the month and of the week that are allowed; weekday 0 is Sunday.

    `nth_weekdays` holds (weekday, n) pairs, n from 1. With `either` a day needs to satisfy one of
    the two fields, else both (contract §5).
    """

    month_days: int
    last_day: bool
    weekdays: int
    nth_weekdays: tuple[tuple[int, int], ...]
    last_weekdays: tuple[int, ...]
    either: bool

    def in_month(self, year: int, month: int) -> int:
        """Return the set of days of that month which are allowed."""
        first, length = _month_shape(year, month)
        by_date = self.month_days | (self.last_day << length)
        by_weekday = (self.weekdays * _SIX_WEEKS >> first) << 1
        for weekday, nth in self.nth_weekdays:
            by_weekday |= 1 << 1 + (weekday - first) % 7 + 7 * (nth - 1)
        for weekday in self.last_weekdays:
            by_weekday |= 1 << length - (first + length - 1 - weekday) % 7
        allowed = by_date | by_weekday if self.either else by_date & by_weekday
        return allowed & ((2 << length) - 2)


def parse_days(day: str, weekday: str) -> DayRule:
    """Return the rule of the expression's third and fifth field. Raises InvalidCron.

    Beyond what every field takes: `?` for `*`; `L`, the last day; `5L`, the last Friday; `5#2`,
    the second Friday.
    """
    day = "*" if day == "?" else day
    weekday = "*" if weekday == "?" else weekday
    dates = split_list(DAY, day)
    last_days = [term for term in dates if term.upper() == "L"]
    plain_dates = [term for term in dates if term not in last_days]

    weekday_terms = split_list(WEEKDAY, weekday)
    last = [term for term in weekday_terms if term[:-1] and term[-1] in "Ll"]
    nth = [term for term in weekday_terms if "#" in term]
    plain = [term for term in weekday_terms if term not in last and term not in nth]
    return DayRule(
        month_days=parse_field(DAY, ",".join(plain_dates)) if plain_dates else 0,
        last_day=bool(last_days),
        weekdays=_weekday_bits(plain),
        nth_weekdays=tuple(sorted({_nth_weekday(term) for term in nth})),
        last_weekdays=tuple(sorted({_weekday(term[:-1]) for term in last})),
        either=not day.startswith("*") and not weekday.startswith("*"),
    )


@lru_cache(maxsize=1200)
def _month_shape(year: int, month: int) -> tuple[int, int]:
    """Return the weekday of the first of the month (0 is Sunday), and how many days it has."""
    first, length = calendar.monthrange(year, month)
    return (first + 1) % 7, length


def _weekday(text: str) -> int:
    return parse_value(WEEKDAY, text) % 7


def _weekday_bits(terms: list[str]) -> int:
    bits = 0
    for term in terms:
        bits |= parse_term(WEEKDAY, term)
    return (bits | bits >> 7) & EVERY_WEEKDAY


def _nth_weekday(term: str) -> tuple[int, int]:
    weekday, _, nth = term.partition("#")
    if nth not in ("1", "2", "3", "4", "5"):
        raise InvalidCron(
            f"weekday: '{term}' must end in #1 to #5; 5#2 is the second Friday, 5L the last one"
        )
    return _weekday(weekday), int(nth)
