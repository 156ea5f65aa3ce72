"""Time zones by name, always from the `tzdata` package that the lockfile pins.

`zoneinfo` alone would prefer the machine's own files: two replicas with different ones would
compute different slots, and a base image could move users' schedules silently.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo


class UnknownZone(ValueError):
    """The name is not a time zone or an alias in the tz database."""


def canonical_zone(name: str) -> str:
    """Return the tz database's spelling of an IANA zone name or alias, given in any case.

    An alias stays itself: `us/eastern` is `US/Eastern`. Raises UnknownZone, also for offsets such
    as `+02:00` and for the empty string.
    """
    spelling = _spellings().get(name.lower()) if name.isascii() else None
    if spelling is None:
        raise UnknownZone(
            f"'{name}' is not a time zone; use an IANA name such as Europe/Berlin or UTC"
        )
    return spelling


def all_zones() -> list[str]:
    """Return every zone name and alias, in the tz database's spelling, sorted."""
    return sorted(_spellings().values())


def zone(name: str) -> ZoneInfo:
    """Return the zone of that name or alias; the same object each time. Raises UnknownZone."""
    return _load(canonical_zone(name))


@cache
def _spellings() -> dict[str, str]:
    listing = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return {name.lower(): name for name in listing.split()}


@cache  # bounded by the tz database: some 600 names
def _load(name: str) -> ZoneInfo:
    path = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
