from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from libs.schedules.zones import UnknownZone, all_zones, canonical_zone, zone


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("America/New_York", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
        ("us/eastern", "US/Eastern"),
        ("asia/calcutta", "Asia/Calcutta"),
        ("utc", "UTC"),
        ("zulu", "Zulu"),
        ("etc/gmt+5", "Etc/GMT+5"),
        ("gmt", "GMT"),
        ("w-su", "W-SU"),
    ],
)
def test_a_name_in_any_case_is_spelled_as_the_database_does(name: str, spelling: str) -> None:
    assert canonical_zone(name) == spelling
    assert zone(name).key == spelling


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "+02:00",
        "-05:00",
        "UTC+2",
        "GMT+2",
        "Z",
        "EDT",
        "local",
        "localtime",
        "Mars/Olympus",
        "America",
        "America/",
        "/America/New_York",
        "America/New York",
        " UTC",
        "UTC ",
        "UTC\x00",
        "../zones",
        "posix/UTC",
        "right/UTC",
        "Asia/To\N{KELVIN SIGN}yo",
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone, match="is not a time zone; use an IANA name"):
        canonical_zone(name)
    with pytest.raises(UnknownZone):
        zone(name)


def test_every_zone_that_python_knows_can_be_loaded() -> None:
    assert set(all_zones()) >= available_timezones() - {"localtime"}
    assert [zone(name).key for name in all_zones()] == all_zones()


def test_a_zone_is_loaded_once() -> None:
    assert zone("Europe/Berlin") is zone("europe/berlin")
