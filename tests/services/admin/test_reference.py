"""The page about the command line tells what the command line is."""

from __future__ import annotations

from tests.services.admin.reference import FILE, reference


def test_the_page_is_current() -> None:
    told = FILE.read_text()
    assert told == reference(), "run: python -m tests.services.admin.reference"
    for command in ("accounts erase", "tickets reply", "parked retry", "log verify", "keys rotate"):
        assert f"### {command}\n" in told
