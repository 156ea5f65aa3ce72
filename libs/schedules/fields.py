"""One field of a cron expression: its text becomes the set of the values it allows."""

from __future__ import annotations

from dataclasses import dataclass

from libs.schedules.bitset import bitset


class InvalidCron(ValueError):
    """The cron expression cannot be used; the text says which part, why, and what to write."""


@dataclass(frozen=True, slots=True)
class Field:
    """A position in the expression: its bounds, and the names of its values from `low` on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def bounds(self) -> str:
        """The values in words: `1-12 or JAN-DEC`."""
        numbers = f"{self.low}-{self.high}"
        return f"{numbers} or {self.names[0]}-{self.names[-1]}" if self.names else numbers


# fmt: off
MONTH_NAMES = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
)
# fmt: on
WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day", 1, 31)
MONTH = Field("month", 1, 12, MONTH_NAMES)
WEEKDAY = Field("weekday", 0, 7, WEEKDAY_NAMES)


def parse_field(field: Field, text: str) -> int:
    """Return the set of values that a list of numbers, names, ranges and steps allows.

    Raises InvalidCron.
    """
    bits = 0
    for term in split_list(field, text):
        bits |= parse_term(field, term)
    return bits


def split_list(field: Field, text: str) -> list[str]:
    """Return the entries of a comma-separated list. Raises InvalidCron for an empty one."""
    terms = text.split(",")
    if "" in terms:
        raise InvalidCron(f"{field.name}: '{text}' has an empty entry; remove the extra comma")
    return terms


def parse_term(field: Field, term: str) -> int:
    """Return the set of values of one entry: `*`, `5`, `MON`, `1-5`, `*/5` or `10-40/10`.

    Raises InvalidCron.
    """
    span, slash, step = term.partition("/")
    start, dash, end = span.partition("-")
    if span == "*":
        low, high = field.low, field.high
    elif dash:
        low, high = parse_value(field, start), parse_value(field, end)
    else:
        low = high = parse_value(field, span)
        if slash:
            raise InvalidCron(
                f"{field.name}: '{term}' steps from a single value;"
                f" write {span}-{field.high}/{step} or */{step}"
            )
    if high < low:
        raise InvalidCron(
            f"{field.name}: the range '{span}' runs backwards;"
            f" write {start}-{field.high},{field.low}-{end}"
        )
    return bitset(range(low, high + 1, _parse_step(field, term, step) if slash else 1))


def parse_value(field: Field, text: str) -> int:
    """Return the number that a value or its name stands for. Raises InvalidCron."""
    if text.upper() in field.names:
        return field.low + field.names.index(text.upper())
    if not text.isdigit():
        raise InvalidCron(f"{field.name}: '{text}' is not a value; use {field.bounds}")
    value = int(text)
    if not field.low <= value <= field.high:
        raise InvalidCron(f"{field.name}: {value} is out of range; use {field.bounds}")
    return value


def _parse_step(field: Field, term: str, step: str) -> int:
    if not step.isdigit() or int(step) == 0:
        raise InvalidCron(
            f"{field.name}: the step of '{term}' must be a whole number from 1, such as */5"
        )
    return int(step)
