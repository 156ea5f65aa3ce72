"""Old months go to files, whole and checked, survive any kill, and come back."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from libs.events.archives import (
    MANIFEST,
    Damaged,
    MonthWriter,
    folder_of,
    lines_of,
    months_in,
    verify_month,
)
from libs.events.archiving import (
    InTheLog,
    StillOpen,
    archive_month,
    archived_months,
    months_to_archive,
    restore_month,
)
from libs.events.cues import (
    CueCreated,
)
from libs.events.envelope import decode
from libs.events.execution_events import LateResultRecorded
from libs.events.log import PostgresLog
from libs.events.rebuild import Incomplete, rebuild, verify
from libs.runtime.postgres import Database
from tests.e2e.waiting import eventually
from tests.libs.events.old_months import APRIL, MAY, deliver, live
from tests.libs.events.relaying import opened
from tests.libs.events.streams_of import META
from tests.servers import PostgresServer, fresh_database

pytestmark = pytest.mark.integration

EVENTS = 60  # twenty executions of three events


@pytest.fixture
async def url(postgres: PostgresServer, migrated: str) -> AsyncIterator[str]:
    async with fresh_database(postgres, template=migrated) as made:
        yield made


@pytest.fixture
async def lived(url: str) -> AsyncIterator[Database]:
    async with opened(Database(url, max_connections=3)) as database:
        await live(database)
        yield database


async def events_of(database: Database) -> list[str]:
    """Every event of the log, as text, but for its transaction."""
    rows = await database.rows(
        "select (e.pos, e.id, e.month, e.stream_id, e.version, e.type, e.schema_version,"
        " e.account_id, e.data::text, e.meta::text, e.recorded_at)::text as row"
        " from events e order by pos"
    )
    return [row["row"] for row in rows]


async def partitions(database: Database) -> list[str]:
    rows = await database.rows(
        "select inhrelid::regclass::text as name from pg_inherits"
        " where inhparent = 'events'::regclass and inhrelid::regclass::text like 'events_2026_0%%'"
        " order by 1"
    )
    return [row["name"] for row in rows]


async def test_a_month_goes_to_files_and_comes_back(lived: Database, tmp_path: Path) -> None:
    before = await events_of(lived)
    assert await months_to_archive(lived, MAY) == [APRIL]
    archived = await archive_month(lived, tmp_path, APRIL)
    assert archived.events == EVENTS
    assert "events_2026_04" not in await partitions(lived)
    assert len(await events_of(lived)) == len(before) - EVENTS
    assert [row["month"] for row in await archived_months(lived)] == ["2026-04"]
    assert months_in(tmp_path) == [APRIL]
    assert verify_month(tmp_path, APRIL).events == EVENTS
    with gzip.open(folder_of(tmp_path, APRIL) / "events-00001.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    assert {line["type"] for line in lines} == {
        "ExecutionScheduled",
        "AttemptStarted",
        "AttemptSucceeded",
    }
    restored = await restore_month(lived, tmp_path, APRIL)
    assert restored.events == EVENTS
    assert await events_of(lived) == before
    assert await archived_months(lived) == []
    assert await verify(lived) == []
    with pytest.raises(InTheLog):
        await restore_month(lived, tmp_path, APRIL)


async def test_rows_are_rebuilt_with_the_archives(lived: Database, tmp_path: Path) -> None:
    await archive_month(lived, tmp_path, APRIL)
    with pytest.raises(Incomplete, match="2026-04"):
        await verify(lived)
    assert await verify(lived, tmp_path) == []
    await lived.execute("delete from executions")
    await lived.execute("update cue_activity set run_count = 0")
    await rebuild(lived, tmp_path)
    assert await verify(lived, tmp_path) == []
    rows = await lived.rows("select count(*) as n from executions")
    assert rows[0]["n"] == 40


async def test_what_is_restored_is_not_told_again(lived: Database, tmp_path: Path) -> None:
    await archive_month(lived, tmp_path, APRIL)
    await restore_month(lived, tmp_path, APRIL)
    rows = await lived.rows("select distinct xid::text as xid from events_2026_04")
    assert rows == [{"xid": "1"}]


async def the_cue(database: Database) -> CueCreated:
    [row] = await database.rows("select data::text as data from events where type = 'CueCreated'")
    return decode(row["data"], CueCreated)


async def test_a_month_with_an_open_execution_stays(lived: Database, tmp_path: Path) -> None:
    cue = await the_cue(lived)
    at = datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
    execution_id = await deliver(PostgresLog(lived), cue, at, ended=False)
    with pytest.raises(StillOpen, match=execution_id):
        await archive_month(lived, tmp_path, APRIL)
    assert months_in(tmp_path) == []
    assert "events_2026_04" in await partitions(lived)
    assert (await archive_month(lived, tmp_path, MAY)).events == EVENTS


async def test_a_month_that_was_not_told_stays(lived: Database, tmp_path: Path) -> None:
    await lived.execute("update relay set xid = '0', pos = 0")
    with pytest.raises(StillOpen, match="told"):
        await archive_month(lived, tmp_path, APRIL)


async def test_what_comes_after_the_archive_is_kept_with_it(
    lived: Database, tmp_path: Path
) -> None:
    await archive_month(lived, tmp_path, APRIL)
    [row] = await lived.rows(
        "select id::text, account_id::text from executions order by scheduled_for limit 1"
    )
    late = LateResultRecorded(at=datetime(2026, 6, 1, tzinfo=UTC), epoch=1, http_status=500)
    async with PostgresLog(lived).transaction() as unit:
        await unit.lock("execution", [row["id"]])
        unit.record("execution", row["id"], row["account_id"], [late], META)
    assert await verify(lived, tmp_path) == []
    await restore_month(lived, tmp_path, APRIL)
    assert await verify(lived) == []
    [count] = await lived.rows("select count(*) as n from events_2026_04")
    assert count["n"] == EVENTS + 1


async def test_an_erased_account_is_not_restored(lived: Database, tmp_path: Path) -> None:
    await archive_month(lived, tmp_path, APRIL)
    await lived.execute(
        "insert into erased_accounts (id, reason, rows_erased)"
        " select account_id, 'asked for', 1 from cues"
    )
    await restore_month(lived, tmp_path, APRIL)
    [count] = await lived.rows("select count(*) as n from events_2026_04")
    assert count["n"] == 0


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / MANIFEST).unlink(),
        lambda folder: (folder / "events-00001.jsonl.gz").unlink(),
        lambda folder: (folder / "events-00001.jsonl.gz").write_bytes(gzip.compress(b"{}\n")),
        lambda folder: (folder / MANIFEST).write_text("{}"),
    ],
)
async def test_damage_is_found(
    lived: Database, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    await archive_month(lived, tmp_path, APRIL)
    harm(folder_of(tmp_path, APRIL))
    with pytest.raises(Damaged):
        verify_month(tmp_path, APRIL)
    with pytest.raises(Damaged):
        await restore_month(lived, tmp_path, APRIL)
    assert [row["month"] for row in await archived_months(lived)] == ["2026-04"]


def test_a_large_month_is_several_files(tmp_path: Path) -> None:
    writer = MonthWriter(tmp_path, APRIL, per_file=2)
    lines = [f'{{"pos": {number}, "text": "\\u2028 é"}}' for number in range(5)]
    for line in lines:
        writer.add(line)
    manifest = writer.finish(last_pos=4)
    assert [file.events for file in manifest.files] == [2, 2, 1]
    assert verify_month(tmp_path, APRIL) == manifest
    assert list(lines_of(tmp_path, manifest)) == lines


# What can be seen from outside of where a run is.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "it has begun": lambda folder: folder.exists(),
    "a file is there": lambda folder: any(folder.glob("*.gz")),
    "all files are there": lambda folder: (folder / MANIFEST).exists(),
}


@pytest.mark.parametrize(
    ("moment", "held"),
    [*((moment, True) for moment in MOMENTS), ("all files are there", False)],
)
async def test_a_killed_run_is_gone_on_with(
    lived: Database, url: str, tmp_path: Path, moment: str, held: bool
) -> None:
    before = await events_of(lived)
    folder = folder_of(tmp_path, APRIL)

    async def has_come() -> bool | None:
        return MOMENTS[moment](folder) or None

    async with await psycopg.AsyncConnection.connect(url) as reader:
        if held:  # so that the last step, which takes the month out, cannot be done
            await reader.execute("select from events limit 1")
        run = await asyncio.create_subprocess_exec(sys.executable, "-c", _run(url, tmp_path))
        await eventually(has_come, moment)
        run.kill()
        await run.wait()
    await asyncio.wait_for(_finished(lived, tmp_path), 30)
    assert "events_2026_04" not in await partitions(lived)
    assert verify_month(tmp_path, APRIL).events == EVENTS
    assert await verify(lived, tmp_path) == []
    await restore_month(lived, tmp_path, APRIL)
    assert await events_of(lived) == before


async def _finished(database: Database, root: Path) -> None:
    for month in await months_to_archive(database, MAY):
        await archive_month(database, root, month)


def _run(url: str, root: Path) -> str:
    return f"""
import asyncio
from pathlib import Path
from tests.libs.events.old_months import APRIL
from libs.events.archiving import archive_month
from libs.runtime.postgres import Database
async def main():
    database = Database({url!r}, max_connections=3)
    await database.open()
    await archive_month(database, Path({str(root)!r}), APRIL)
asyncio.run(main())
"""
