"""What users choose: cues of all kinds, drawn from one seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.events.base import Reference, Transport, VerificationMode
from libs.events.cue_settings import (
    AlertRules,
    Callback,
    CueSettings,
    Delivery,
    OnFailure,
    Retry,
    Schedule,
)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Chatham",
)
SELDOM = (
    "0 9 * * *",
    "30 2 * * *",
    "15 1 * * *",
    "30 0 * * *",
    "59 23 * * *",
    "0 0 * * 1-5",
    "17 3 * * 0",
    "0 12 1 * *",
    "0 8,12,17 * * *",
    "30 1,2,3 * * *",
    "0 */8 * * *",
    "*/30 9 * * *",
    "45 */6 * * *",
)
OFTEN = ("0 */2 * * *", "*/20 1-3 * * *", "5 * * * *", "*/15 * * * *")
CHANGES_OF_CLOCKS = (
    datetime(2026, 3, 7, tzinfo=UTC),
    datetime(2026, 3, 28, tzinfo=UTC),
    datetime(2026, 4, 3, tzinfo=UTC),
    datetime(2026, 9, 26, tzinfo=UTC),
    datetime(2026, 10, 24, tzinfo=UTC),
    datetime(2026, 10, 31, tzinfo=UTC),
)


def start(dice: random.Random) -> datetime:
    """Choose when a world begins: often shortly before clocks are changed somewhere."""
    if dice.random() < 0.5:
        return dice.choice(CHANGES_OF_CLOCKS) + timedelta(minutes=dice.randrange(1_440))
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=dice.randrange(525_600))


def zones(dice: random.Random) -> list[str]:
    """Choose the zones in which one world's users live."""
    return dice.sample(ZONES, 5)


def settings(
    dice: random.Random, now: datetime, account: int, zone: str, headers: str | None
) -> CueSettings:
    """Choose a whole cue; `headers` is the reference to an account's sealed ones."""
    worker = dice.random() < 0.3
    return CueSettings(
        name=f"cue {dice.randrange(10**9)}",
        schedule=schedule(dice, now, zone),
        transport=Transport.WORKER if worker else Transport.WEBHOOK,
        callback=Callback(
            url=None if worker else f"https://host{dice.randrange(2)}.of{account}.example.com/",
            headers_ref=headers if dice.random() < 0.3 else None,
        ),
        payload=Reference(task=dice.choice((None, "review", "build"))),
        retry=retry(dice),
        delivery=Delivery(
            timeout_seconds=dice.choice((5, 30, 60)),
            outcome_deadline_seconds=dice.choice((60, 300, 3_600)),
        ),
        alerts=AlertRules(
            consecutive_failures=dice.choice((1, 2, 3)),
            missed_window_multiplier=dice.choice((1, 2, 3)),
        ),
        catch_up=dice.choice(("skip_missed", "run_once_if_missed", "replay_all_missed")),
        verification=dice.choice(tuple(VerificationMode)),
        on_failure=OnFailure(
            email=dice.random() < 0.7,
            webhook=f"https://ops.of{account}.example.com/" if dice.random() < 0.3 else None,
            pause=dice.random() < 0.2,
        ),
    )


def schedule(dice: random.Random, now: datetime, zone: str) -> Schedule:
    """Choose when: once or again and again."""
    if dice.random() < 0.12:
        at = now + timedelta(seconds=dice.randrange(60, 2 * 86_400))
        return Schedule(at=at, timezone=zone)
    crons = SELDOM if dice.random() < 0.9 else OFTEN
    return Schedule(cron=dice.choice(crons), timezone=zone)


def retry(dice: random.Random) -> Retry:
    """Choose how often, and with which waits, delivery is tried."""
    waits = dice.choice(((1, 5, 15), (1,), (2, 30)))
    return Retry(max_attempts=dice.choice((1, 2, 3, 5)), backoff_minutes=waits)


def changes(dice: random.Random, now: datetime, zone: str) -> dict[str, Any]:
    """Choose what to change of a cue."""
    match dice.randrange(6):
        case 0:
            chosen = schedule(dice, now, zone)
            kept = {"at": chosen.at} if chosen.at else {"cron": chosen.cron}
            return {"schedule": {**kept, "timezone": chosen.timezone}}
        case 1:
            return {"retry": {"max_attempts": dice.choice((1, 2, 4))}}
        case 2:
            return {"catch_up": dice.choice(("skip_missed", "replay_all_missed"))}
        case 3:
            return {"name": f"cue {dice.randrange(10**9)}"}
        case 4:
            return {"on_failure": {"pause": dice.random() < 0.5}}
        case _:
            return {"alerts": {"consecutive_failures": dice.choice((1, 2, 4))}}
