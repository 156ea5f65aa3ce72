"""Timestamps on the wire (contract §1): RFC 3339 in, UTC with `Z` out."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from libs.schedules.zones import zone

_FORM = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.(?P<fraction>\d+))?)?(?:[Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Zulu"})


class InvalidTimestamp(ValueError):
    """The text is not an RFC 3339 date with a time."""


def parse_timestamp(text: str) -> datetime:
    """Read a timestamp; without an offset in the text the result is naive.

    Digits beyond microseconds are dropped. Raises InvalidTimestamp.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise InvalidTimestamp("use RFC 3339, such as 2026-03-28T09:00:00Z")
    fraction = form["fraction"] or ""
    plain = text.upper().replace("." + fraction, "") if fraction else text.upper()
    try:
        moment = datetime.fromisoformat(plain)
        moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:
        raise InvalidTimestamp("this date or time does not exist") from error


def parse_instant(text: str) -> datetime:
    """Read a timestamp, taking one without an offset as UTC. Raises InvalidTimestamp."""
    moment = parse_timestamp(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def wire_time(moment: datetime) -> str:
    """Write an instant in UTC with `Z`; the fraction is left out when it is zero."""
    instant = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return instant.isoformat().removesuffix("+00:00") + "Z"


def wire_time_or_none(moment: datetime | None) -> str | None:
    """`wire_time`, where there may be no instant."""
    return None if moment is None else wire_time(moment)


def zoned_time(moment: datetime | None, zone_name: str) -> str | None:
    """Write an instant with the offset of a zone, `Z` when the zone is UTC itself."""
    if moment is None or zone_name in _UTC_NAMES:
        return wire_time_or_none(moment)
    try:
        return moment.astimezone(zone(zone_name)).isoformat()
    except OverflowError:  # the last hours of the year 9999 have no local time
        return wire_time(moment)
