"""A backup that was made under load brings everything back on a new server, without the broker."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from deploy.local.postgres import LocalPostgres, binary
from deploy.local.stack import Stack
from libs.events.rebuild import verify
from libs.runtime.postgres import Database
from tests.e2e.client import Api
from tests.e2e.history import History
from tests.e2e.receiver import Answer
from tests.e2e.transport import AiohttpTransport
from tests.e2e.waiting import eventually
from tests.e2e.world import ANSWER_SECONDS, CONNECTIONS, World, running
from tests.faults.conftest import SHORT_LEASES
from tests.faults.load import Load
from tests.faults.users import Users

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

UNFINISHED = """
select id::text from executions
 where status not in ('success', 'failed', 'missed', 'outcome_timeout', 'cancelled')
"""
LEFT = f"""
select (select count(*) from ({UNFINISHED}) e)
     + (select count(*) from cues where status = 'active' and next_run < now())
     + (select count(*) from events e, relay r where (e.xid, e.pos) > (r.xid, r.pos)) as count
"""
ENV = {"DISABLE_QUOTA_ENFORCEMENT": "true", **SHORT_LEASES}


async def program(name: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(binary(name), *arguments)
    assert await asyncio.wait_for(process.wait(), 120) == 0


@asynccontextmanager
async def database_of(url: str) -> AsyncIterator[Database]:
    database = Database(url, max_connections=2, name="test")
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def ids(database: Database, sql: str) -> set[str]:
    return {row["id"] for row in await database.rows(sql)}


async def restore(dump: Path, folder: Path) -> tuple[set[str], set[str]]:
    """Restore into a new server; give the executions that came back, and the unfinished ones."""
    server = LocalPostgres(folder / "postgres", fsync=False)
    await server.start()
    try:
        await program("pg_restore", f"--dbname={server.dsn}", str(dump))
        async with database_of(server.dsn) as database:
            [row] = await database.rows(
                "select (select max(xid::text::bigint) from events)"
                "  > pg_snapshot_xmax(pg_current_snapshot())::text::bigint as trapped"
            )
            assert row["trapped"], "the new server counts from the start"
            every = await ids(database, "select id::text from executions")
            return every, await ids(database, UNFINISHED)
    finally:
        await server.stop()


@asynccontextmanager
async def again(world: World, folder: Path) -> AsyncIterator[World]:
    """A stack on a restored folder, with the receiver that there was."""
    stack = Stack(folder, fsync=False, env=ENV)
    transport = AiohttpTransport(CONNECTIONS, ANSWER_SECONDS)
    async with (
        stack,
        httpx.AsyncClient(base_url=stack.base_url, transport=transport, trust_env=False) as http,
    ):
        yield World(stack, world.receiver, History(), http)


async def test_a_backup_under_load_is_restored_on_a_new_server(tmp_path: Path) -> None:
    dump, before, after = tmp_path / "cueapi.dump", tmp_path / "before", tmp_path / "after"
    async with running(before, env=ENV) as world:
        api = await world.account()
        async with Load(world, api) as load:
            await load.progress(60)
            await program("pg_dump", "--format=custom", f"--file={dump}", world.stack.database_url)
            await load.progress(10)
        secrets = world.stack.folder.secrets
        world.stack.kill_now()
        await world.stack.stop()
        await asyncio.to_thread(after.mkdir, mode=0o700)
        await asyncio.to_thread(shutil.copy, secrets, after)
        every, unfinished = await restore(dump, after)
        assert unfinished, "the backup was made while there was work"
        killed_at = datetime.now(UTC)
        async with again(world, after) as restored:

            async def all_is_done() -> bool | None:
                await Users(user).work()  # what waits for workers, or was theirs at the time
                return (await restored.rows(LEFT))[0]["count"] == 0 or None

            async def alert_is_raised() -> bool | None:
                rows = await restored.rows("select id from alerts where cue_id = %s", failing["id"])
                return bool(rows) or None

            user = Api(restored.http, restored.history, restored.receiver, api.key)
            user.webhook_secret = api.webhook_secret
            failing_hook = user.hook()
            failing_hook.answer = Answer(500)
            failing = await user.webhook_cue(failing_hook, retry={"max_attempts": 1})
            for _ in range(3):
                await user.when(await user.fire(failing["id"]), status="failed")
            await eventually(alert_is_raised, "the relay tells of what is new")
            await eventually(all_is_done, "what the backup held is done")
            async with restored.database() as database:
                assert await verify(database) == []
                assert await ids(database, "select id::text from executions") >= every
            # Nothing that had ended before the backup was made is delivered again.
            arrivals = world.receiver.arrivals
            later = {each.execution_id for each in arrivals if each.at > killed_at}
            assert not later & (every - unfinished)
            assert restored.down() == []
