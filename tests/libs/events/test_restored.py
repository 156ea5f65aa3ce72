"""A log that was restored into a server whose transaction ids begin anew."""

from __future__ import annotations

import asyncio

import pytest

from libs.events.bus import Bus
from libs.events.migrate import migrate
from libs.events.relay import Relay
from libs.runtime.health import Health
from libs.runtime.postgres import Database
from tests.libs.events.relaying import append, told_ids

pytestmark = pytest.mark.integration

AHEAD = 1_000_000_000


async def seem_restored(database: Database) -> None:
    """Let the log's transaction ids be those of a server that had counted much further."""
    for table in ("events", "relay", "relay_trail"):
        await database.execute(
            f"update {table} set xid = (xid::text::bigint + {AHEAD})::text::xid8 where xid > '0'"
        )
    await be_new(database, "another")


async def be_new(database: Database, server: str | None) -> None:
    """Let new transactions have the server's own ids, and the log be that of `server`."""
    await database.execute(
        "update relay set system_identifier = %s::text, xid_offset = 0", [server]
    )
    await database.execute("alter table events alter column xid set default pg_current_xact_id()")


async def told_by_a_new_relay(log: Database, bus: Bus) -> list[str]:
    """What a relay that starts on this log tells, until it has nothing more to tell."""
    before = len(await told_ids(bus))
    relay = Relay(log, bus, Health())
    await relay.inspect_stream()
    while await relay.run_once():
        pass
    return (await told_ids(bus))[before:]


async def order(database: Database) -> list[str]:
    rows = await database.rows("select id::text from events order by xid, pos")
    return [row["id"] for row in rows]


async def test_what_is_appended_after_a_restore_is_told_in_order(
    empty_log: Database, bus: Bus
) -> None:
    first = await append(empty_log, 3)
    assert sorted(await told_by_a_new_relay(empty_log, bus)) == sorted(first)
    untold = await append(empty_log)
    await seem_restored(empty_log)
    early = await append(empty_log)  # by a service that was there before the relay
    heard = await told_by_a_new_relay(empty_log, bus)
    assert set(heard) >= {*untold, *early}
    later = await append(empty_log)
    assert await told_by_a_new_relay(empty_log, bus) == later
    assert await order(empty_log) == [*first, *untold, *early, *later]


async def test_a_log_may_move_again(empty_log: Database, bus: Bus) -> None:
    appended = await append(empty_log)
    for _ in range(3):
        await seem_restored(empty_log)
        appended += await append(empty_log)
        assert set(await told_by_a_new_relay(empty_log, bus)) <= set(appended)
    assert set(await told_ids(bus)) == set(appended)
    assert await order(empty_log) == appended


async def test_a_migration_takes_the_log_over_too(
    empty_log: Database, postgres_url: str, bus: Bus
) -> None:
    await append(empty_log)
    await seem_restored(empty_log)
    await asyncio.to_thread(migrate, postgres_url)
    appended = await append(empty_log)
    [row] = await empty_log.rows(
        "select xid_offset, adopt_log() as again, (select max(xid::text::bigint) from events)"
        "  > xid_offset as ahead from relay"
    )
    assert row["xid_offset"] > AHEAD
    assert (row["again"], row["ahead"]) == (False, True)
    assert (await order(empty_log))[-len(appended) :] == appended


async def test_a_log_at_home_is_left_alone(empty_log: Database) -> None:
    await be_new(empty_log, None)
    await append(empty_log)
    [row] = await empty_log.rows("select adopt_log() as moved")
    assert row["moved"] is False
    [relay] = await empty_log.rows(
        "select xid_offset, system_identifier = (select system_identifier::text"
        " from pg_control_system()) as here from relay"
    )
    assert (relay["xid_offset"], relay["here"]) == (0, True)
