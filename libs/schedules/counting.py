"""How many occurrences lie in a range: microseconds for each day, however many they are."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from libs.schedules.cron import Cron
from libs.schedules.occurrences import occurrences
from libs.schedules.stretches import Stretch, stretches


def count_occurrences(cron: Cron, zone: ZoneInfo, after: datetime, until: datetime) -> int:
    """Return how many occurrences lie after `after`, up to and including `until`."""
    return sum(
        _count_even(cron, stretch)
        if stretch.even
        else sum(1 for _ in occurrences(cron, zone, stretch.after, stretch.until))
        for stretch in stretches(zone, after, until)
    )


def _count_even(cron: Cron, stretch: Stretch) -> int:
    opens, closes = stretch.opens, stretch.closes
    if not cron.days_in(opens.year, opens.month) >> opens.day & 1:
        return 0
    started = bool(opens.second or opens.microsecond)
    before = _count_before(cron, opens.hour * 60 + opens.minute + started)
    return _count_before(cron, closes.hour * 60 + closes.minute + 1) - before


def _count_before(cron: Cron, minute_of_day: int) -> int:
    """Return how many times of a matching day are earlier than that minute of it."""
    hour, minute = divmod(minute_of_day, 60)
    whole_hours = (cron.hours & (1 << hour) - 1).bit_count() * cron.minutes.bit_count()
    if not cron.hours >> hour & 1:
        return whole_hours
    return whole_hours + (cron.minutes & (1 << minute) - 1).bit_count()
