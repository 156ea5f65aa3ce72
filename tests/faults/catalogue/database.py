"""Faults of Postgres, and of the way to it."""

import asyncio
from typing import cast

import psutil

from tests.e2e.waiting import eventually
from tests.faults.faults import freeze, kill_9
from tests.faults.scene import Scene, fault
from tests.faults.stacks import BehindProxies

KILLS = 3
STORMS = 20
LINK_SECONDS = 20.0
PAUSE_SECONDS = 8.0
LATENCY_SECONDS = 0.02

_TERMINATE = """
select pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and pid <> pg_backend_pid()
"""


@fault(may_double=True)
async def postgres_killed(scene: Scene) -> None:
    """`kill -9` of Postgres with all its sessions, 3 times."""
    server = scene.world.stack.postgres
    pids = {server.pid}
    async with scene.under_load() as load:
        for _ in range(KILLS):
            await kill_9(server)
            pids.add(server.pid)
            await load.progress(scene.dice.randrange(1, 10))
        scene.saw(f"{len(pids) - 1} new servers", len(pids) == KILLS + 1)
        await scene.recovered()


@fault(may_double=True)
async def postgres_sessions_terminated(scene: Scene) -> None:
    """All sessions are ended by the server, 20 times."""
    async with scene.under_load() as load:
        ended = 0
        for _ in range(STORMS):
            ended += len(await scene.world.rows(_TERMINATE))
            await asyncio.sleep(scene.dice.uniform(0, 0.5))
        scene.saw(f"{ended} sessions ended", ended >= STORMS)
        await scene.recovered()
        await load.progress()


@fault(may_double=True)
async def postgres_paused(scene: Scene) -> None:
    """Postgres' postmaster and sessions are stopped where they stand for 8 s."""
    server = scene.world.stack.postgres
    async with scene.under_load():
        pausing = asyncio.create_task(freeze(server, PAUSE_SECONDS))
        tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]

        async def stand_still() -> bool | None:
            return all(each.status() == psutil.STATUS_STOPPED for each in tree) or None

        await eventually(stand_still, "Postgres stands still", PAUSE_SECONDS)
        scene.saw(f"{len(tree)} processes stood still", not pausing.done())
        await pausing
        await scene.recovered()


@fault("proxies", may_double=True)
async def postgres_link(scene: Scene) -> None:
    """The way to Postgres is slow, then half open for 20 s, then reset."""
    proxy = cast("BehindProxies", scene.world.stack).to_postgres
    async with scene.under_load() as load:
        proxy.latency = LATENCY_SECONDS
        await load.progress()
        proxy.dropping = True
        await asyncio.sleep(LINK_SECONDS)
        scene.saw(f"{proxy.dropped} chunks swallowed", proxy.dropped)
        proxy.heal()
        await scene.recovered()
        for _ in range(3):
            proxy.reset()
            await load.progress(3)
        scene.saw(f"{proxy.resets} resets", proxy.resets)
        await scene.recovered()
