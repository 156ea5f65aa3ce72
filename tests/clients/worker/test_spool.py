"""Outcomes on disk."""

from __future__ import annotations

import stat
from pathlib import Path

from cueapi.worker import Report
from cueapi_worker.spool import DiskSpool

FIRST = Report("00000000-0000-4000-8000-000000000001", {"success": True, "result": "grüße"})
SECOND = Report("00000000-0000-4000-8000-000000000002", {"success": False, "error": "no"})


def test_what_is_kept_is_left_until_it_is_dropped(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path / "outcomes")
    spool.keep(FIRST)
    spool.keep(SECOND)
    again = DiskSpool(tmp_path / "outcomes")
    assert [*again.left()] == [FIRST, SECOND]
    assert again.count() == 2
    assert [*again.left()] == []
    again.drop(FIRST.execution_id)
    again.drop(FIRST.execution_id)
    assert [*DiskSpool(tmp_path / "outcomes").left()] == [SECOND]


def test_what_is_on_its_way_is_not_left(tmp_path: Path) -> None:
    DiskSpool(tmp_path).keep(FIRST)
    spool = DiskSpool(tmp_path)
    spool.keep(SECOND)
    assert [*spool.left()] == [FIRST]


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    DiskSpool(tmp_path / "outcomes")
    assert stat.S_IMODE((tmp_path / "outcomes").stat().st_mode) == 0o700


def test_a_file_that_is_no_report_is_put_aside_and_told(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    spool.keep(FIRST)
    (tmp_path / "half.json").write_text('{"succ')
    spool = DiskSpool(tmp_path)
    assert [*spool.left()] == [FIRST]
    assert (tmp_path / "half.broken").exists()
    assert spool.count() == 1
