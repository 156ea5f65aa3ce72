"""A schedule in plain English: `At 09:00 on Monday to Friday, America/New_York`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from libs.schedules.bitset import members
from libs.schedules.cron import Cron
from libs.schedules.days import EVERY_DAY, EVERY_WEEKDAY, DayRule
from libs.schedules.fields import MONTH

_DAY = 24 * 60
_EVERY_HOUR = (1 << 24) - 1
_MOST_TIMES = 6
"""More times of day than this are not told one by one, if there is another way."""

# fmt: off
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)
# fmt: on
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NTH = ("first", "second", "third", "fourth", "fifth")


def describe(cron: Cron, zone_name: str) -> str:
    """Return what the expression means, as a sentence without a full stop.

    The words depend on the times alone, not on how the expression spells them.
    """
    time, round_the_clock = _time(cron.minutes, cron.hours)
    months = [month - MONTH.low for month in members(cron.months)]
    in_months = "" if len(months) == len(_MONTHS) else _joined(_runs(_MONTHS, months))
    days = _days(cron.days, in_months)
    if not days and not round_the_clock:
        days = " every day"
    return f"{time}{days}, {zone_name}"


def _time(minutes: int, hours: int) -> tuple[str, bool]:
    """Return the times of day in words, and whether they go on evenly from day to day."""
    times = [hour * 60 + minute for hour in members(hours) for minute in members(minutes)]
    if len(times) <= _MOST_TIMES:
        return f"At {_joined([_clock(time) for time in times])}", False
    steps = {later - earlier for earlier, later in pairwise(times)}
    if len(steps) == 1:
        return _evenly(times[0], times[-1], steps.pop())
    of_hours = "every hour" if hours == _EVERY_HOUR else _numbered("hour", members(hours))
    return f"{_minutes(members(minutes))} of {of_hours}", hours == _EVERY_HOUR


def _evenly(first: int, last: int, step: int) -> tuple[str, bool]:
    """Say times (in minutes of the day) that are `step` minutes apart."""
    every = f"Every {_duration(step)}"
    if last + step != first + _DAY:
        return f"{every} from {_clock(first)} to {_clock(last)}", False
    if first == 0:
        return every, True
    return (
        f"{every} at minute {first}" if step == 60 else f"{every} starting at {_clock(first)}"
    ), True


def _minutes(minutes: Sequence[int]) -> str:
    step = 60 // len(minutes)
    if step < 60 and tuple(minutes) == tuple(range(0, 60, step)):
        return f"Every {_duration(step)}"
    return f"At {_numbered('minute', minutes)}"


def _days(rule: DayRule, months: str) -> str:
    """Say which days, with a leading blank; nothing for every day of the year."""
    in_months = f" in {months}" if months else ""
    of_months = f" of {months}" if months else " of the month"
    any_date = rule.month_days & EVERY_DAY == EVERY_DAY
    any_weekday = rule.weekdays == EVERY_WEEKDAY
    dates, weekdays = _dates(rule), _weekdays(rule)
    if (any_date and any_weekday) or (rule.either and (any_date or any_weekday)):
        return in_months and f" every day{in_months}"
    if any_weekday:
        return f" on {_joined(dates)}{of_months}"
    if any_date:
        counted = rule.nth_weekdays or rule.last_weekdays
        return f" on {_joined(weekdays)}{of_months if counted else in_months}"
    on_dates = f" on {_joined(dates)} of the month"
    if rule.either:
        return f"{on_dates} or on {_joined(weekdays)}{in_months}"
    return f"{on_dates} if it is {_joined(weekdays, 'or')}{in_months}"


def _dates(rule: DayRule) -> list[str]:
    days = members(rule.month_days)
    dates = [_numbered("day", days)] if days else []
    return [*dates, "the last day"] if rule.last_day else dates


def _weekdays(rule: DayRule) -> list[str]:
    from_monday = sorted((weekday - 1) % 7 for weekday in members(rule.weekdays))
    nth = [f"the {_NTH[nth - 1]} {_WEEK[weekday - 1]}" for weekday, nth in rule.nth_weekdays]
    last = [f"the last {_WEEK[weekday - 1]}" for weekday in rule.last_weekdays]
    return [*_runs(_WEEK, from_monday), *nth, *last]


def _numbered(unit: str, numbers: Sequence[int]) -> str:
    """Return `hour 9` or `hours 9 to 17 and 20`."""
    plural = "" if len(numbers) == 1 else "s"
    return f"{unit}{plural} {_joined(_runs([str(n) for n in range(60)], numbers))}"


def _runs(names: Sequence[str], indexes: Sequence[int]) -> list[str]:
    """Return the names at ascending indexes, three or more in a row drawn together by `to`."""
    runs: list[list[int]] = []
    for index in indexes:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    words: list[str] = []
    for run in runs:
        if len(run) > 2:
            words.append(f"{names[run[0]]} to {names[run[-1]]}")
        else:
            words.extend(names[index] for index in run)
    return words


def _joined(words: Sequence[str], conjunction: str = "and") -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def _clock(minute_of_day: int) -> str:
    return f"{minute_of_day // 60:02}:{minute_of_day % 60:02}"


def _duration(minutes: int) -> str:
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return unit if count == 1 else f"{count} {unit}s"
