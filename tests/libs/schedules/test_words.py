from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.schedules.cron import Cron, InvalidCron, parse
from libs.schedules.words import describe
from tests.libs.schedules.strategies import expressions


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 9 * * 1-5", "At 09:00 on Monday to Friday"),
        ("0 9 * * *", "At 09:00 every day"),
        ("@midnight", "At 00:00 every day"),
        ("30 9,17 * * sat,sun", "At 09:30 and 17:30 on Saturday and Sunday"),
        ("0 9,12,17 * * *", "At 09:00, 12:00 and 17:00 every day"),
        ("* * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("*/5 * * * 1-5", "Every 5 minutes on Monday to Friday"),
        ("0-59/15 * * 1 *", "Every 15 minutes every day in January"),
        ("@hourly", "Every hour"),
        ("5 * * * *", "Every hour at minute 5"),
        ("0 */2 * * *", "Every 2 hours"),
        ("15 1-23/2 * * 1", "Every 2 hours starting at 01:15 on Monday"),
        ("3-59/5 * * * *", "Every 5 minutes starting at 00:03"),
        ("*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:45 on Monday to Friday"),
        ("0 9-17 * * *", "Every hour from 09:00 to 17:00 every day"),
        ("* 9 * * *", "Every minute from 09:00 to 09:59 every day"),
        ("*/7 9 * * *", "Every 7 minutes from 09:00 to 09:56 every day"),
        ("*/7 * * * *", "At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"),
        ("0,7,30 9-17 * * *", "At minutes 0, 7 and 30 of hours 9 to 17 every day"),
        ("*/30 8,12,16,20 * * *", "Every 30 minutes of hours 8, 12, 16 and 20 every day"),
        ("0 0,1,2,3,5,8,13 * * *", "At minute 0 of hours 0 to 3, 5, 8 and 13 every day"),
        ("0 0 1 * *", "At 00:00 on day 1 of the month"),
        ("0 0 1-7,15 * *", "At 00:00 on days 1 to 7 and 15 of the month"),
        ("0 0 L * *", "At 00:00 on the last day of the month"),
        ("0 0 15,L * *", "At 00:00 on day 15 and the last day of the month"),
        ("@yearly", "At 00:00 on day 1 of January"),
        ("0 0 29 2 *", "At 00:00 on day 29 of February"),
        ("0 0 1 */3 *", "At 00:00 on day 1 of January, April, July and October"),
        ("0 0 * 6-8 *", "At 00:00 every day in June to August"),
        ("0 0 * 6-8 1", "At 00:00 on Monday in June to August"),
        ("0 9 * * 5-7", "At 09:00 on Friday to Sunday"),
        ("0 9 * * 5#2", "At 09:00 on the second Friday of the month"),
        ("0 9 * 1 5L", "At 09:00 on the last Friday of January"),
        ("0 9 * * 0L,1#1", "At 09:00 on the first Monday and the last Sunday of the month"),
        ("0 0 13 * 5", "At 00:00 on day 13 of the month or on Friday"),
        ("0 0 13 5 5", "At 00:00 on day 13 of the month or on Friday in May"),
        ("0 0 */10 * 1-3",
         "At 00:00 on days 1, 11, 21 and 31 of the month if it is Monday to Wednesday"),
        ("0 0 */16 * 1,3,5L",
         "At 00:00 on days 1 and 17 of the month if it is Monday, Wednesday or the last Friday"),
        ("0 0 1-31 * 5", "At 00:00 every day"),
        ("0 0 5 * 0-6", "At 00:00 every day"),
    ],
)  # fmt: skip
def test_a_schedule_in_words(expression: str, words: str) -> None:
    assert describe(parse(expression), "Europe/Berlin") == f"{words}, Europe/Berlin"


def meaning(cron: Cron) -> tuple[object, ...]:
    """The times, and the days of 28 years, in which every kind of year occurs."""
    days = [cron.days_in(year, month) for year in range(2000, 2028) for month in range(1, 13)]
    return cron.minutes, cron.hours, *days


@settings(max_examples=20, deadline=None)
@given(st.lists(expressions(), min_size=20, max_size=40))
def test_the_same_words_mean_the_same_times(drawn: list[str]) -> None:
    meanings: dict[str, tuple[object, ...]] = {}
    for expression in drawn:
        with suppress(InvalidCron):
            cron = parse(expression)
            words = describe(cron, "UTC")
            assert words.endswith(", UTC")
            assert words == " ".join(words.split())
            assert meanings.setdefault(words, meaning(cron)) == meaning(cron)
