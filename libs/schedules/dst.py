"""What changes of clocks do to a schedule, said of single instants: for preview and explain."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from libs.schedules.cron import Cron, first_match, matches
from libs.schedules.wall import RESOLUTION, Dst, dst_of_local

_DAY = timedelta(days=1)


def dst_of(cron: Cron, zone: ZoneInfo, occurrence: datetime) -> Dst | None:
    """Say what a change of clocks has to do with an occurrence.

    "gap": it stands in for a local time that does not exist; "repeat": its local time comes twice.
    """
    local = occurrence.astimezone(zone)
    if dst_of_local(local) == "repeat":
        return "repeat"
    start_of_gap = (occurrence - RESOLUTION).astimezone(zone) + RESOLUTION
    if cron.every_pass or start_of_gap >= local:
        return None
    match = first_match(cron, start_of_gap, local.year)
    return "gap" if match is not None and match < local else None


def passed_over(cron: Cron, zone: ZoneInfo, at: datetime) -> Dst | None:
    """Say why an instant whose local time matches is no occurrence, None if it is or doesn't match.

    "repeat": it is the second pass of a time that was due on the first. "gap": by the offset that
    held before the change it is a local time which matches, but which the clock skipped.
    """
    local = at.astimezone(zone)
    if local.fold:
        return "repeat" if matches(cron, local) and not cron.every_pass else None
    by_the_day_before = (at - _DAY).astimezone(zone) + _DAY
    if matches(cron, by_the_day_before) and dst_of_local(by_the_day_before) == "gap":
        return "gap"
    return None
