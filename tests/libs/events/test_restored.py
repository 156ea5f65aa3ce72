"""A log that was restored into a server whose transaction ids begin anew."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from libs.events.bus import Bus
from libs.events.relay import Relay
from libs.runtime.health import Health
from libs.runtime.postgres import Database
from tests.libs.events.relaying import append, told_ids

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[3] / "deploy" / "compose" / "after_restore.sql"
AHEAD = 1_000_000_000


async def seem_restored(database: Database) -> None:
    """Let the log's transaction ids be those of a server that had counted much further."""
    for table in ("events", "relay", "relay_trail"):
        await database.execute(
            f"update {table} set xid = (xid::text::bigint + {AHEAD})::text::xid8 where xid > '0'"
        )


async def told_by_a_new_relay(log: Database, bus: Bus) -> list[str]:
    """What a relay that starts on this log tells, until it has nothing more to tell."""
    before = len(await told_ids(bus))
    relay = Relay(log, bus, Health())
    await relay.inspect_stream()
    while await relay.run_once():
        pass
    return (await told_ids(bus))[before:]


async def test_what_is_appended_after_a_restore_is_told(
    empty_log: Database, postgres_url: str, bus: Bus
) -> None:
    first = await append(empty_log)
    assert sorted(await told_by_a_new_relay(empty_log, bus)) == sorted(first)
    await seem_restored(empty_log)
    unheard = await append(empty_log)
    assert await told_by_a_new_relay(empty_log, bus) == [], "this is what the script is for"

    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        await connection.execute(SCRIPT.read_text())
    appended = await append(empty_log)
    # What was told and nobody had acknowledged is told again.
    heard = await told_by_a_new_relay(empty_log, bus)
    assert sorted(heard) == sorted([*first, *unheard, *appended])
