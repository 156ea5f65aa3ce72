"""`python -m bench.cost [EXECUTIONS]`: what one execution takes of each tier, and of the disk.

Recurring cues come due in the same instant and are delivered to a receiver that answers at once;
then one cue is fired as often over the API. CPU is counted in microseconds by process, from before
the first execution until everything that follows from the last one is on record.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from bench import processes
from bench.delivery import collect
from bench.load import Client, concurrently, in_seconds, next_minute
from deploy.local.ports import free_port
from deploy.local.stack import Stack
from libs.runtime.postgres import Database

EXECUTIONS = 2_000
AT_ONCE = 32
CREATED_PER_SECOND = 60
EARLY_SECONDS = 1.0
SETTLE_SECONDS = 60

_SIZES = """
select sum(pg_total_relation_size(c.oid)) filter (where c.relname like 'events%%') as log,
       sum(pg_total_relation_size(c.oid)) filter (where c.relname = 'executions') as executions,
       pg_current_wal_lsn() - '0/0'::pg_lsn as wal
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
"""
_UNSETTLED = """
select (select count(*) from executions where status in ('pending', 'delivering', 'retrying'))
     + (select count(*) from events e, relay r where (e.xid, e.pos) > (r.xid, r.pos)) as n
"""
_EVENTS = "select count(*)::float8 as n from events"


class Meter:
    """Reads what has been used up so far."""

    def __init__(self, stack: Stack, database: Database) -> None:
        self._stack = stack
        self._database = database

    async def read(self) -> dict[str, float]:
        """CPU seconds by process, sizes in bytes, and the number of events."""
        pids = {each.name: each.pid for each in self._stack.processes if each.running}
        used = {f"cpu_{name}": processes.cpu_seconds(pid) for name, pid in pids.items()}
        [sizes] = await self._database.rows(_SIZES)
        [events] = await self._database.rows(_EVENTS)
        return {**used, **{k: float(v) for k, v in sizes.items()}, "events": events["n"]}

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        deadline = time.perf_counter() + SETTLE_SECONDS
        while (await self._database.rows(_UNSETTLED))[0]["n"]:
            if time.perf_counter() > deadline:
                raise RuntimeError("executions did not come to their end")
            await asyncio.sleep(0.5)


def per_execution(before: dict[str, float], after: dict[str, float], count: int) -> dict[str, Any]:
    """Give the difference for one execution: µs of CPU, bytes, events."""
    used = {name: (after[name] - before[name]) / count for name in before}
    cpu = {n.removeprefix("cpu_"): v * 1e6 for n, v in used.items() if n.startswith("cpu_")}
    return {
        "cpu_us": {name: round(value, 1) for name, value in cpu.items()},
        "cpu_us_all": round(sum(cpu.values()), 1),
        "log_bytes": round(used["log"]),
        "execution_row_bytes": round(used["executions"]),
        "wal_bytes": round(used["wal"]),
        "events": round(used["events"], 2),
    }


async def scheduled(client: Client, meter: Meter, count: int) -> dict[str, Any]:
    """Executions that time makes: many cues due in one instant."""
    at = next_minute(count / CREATED_PER_SECOND)
    name = f"cost-{time.time_ns()}"
    create = [partial(client.create_recurring, f"{name}-{i}", at) for i in range(count)]
    await concurrently(AT_ONCE, create)
    wait = (at - in_seconds(EARLY_SECONDS)).total_seconds()
    if wait < 0:
        raise RuntimeError("the cues could not be created in time; take fewer executions")
    await asyncio.sleep(wait)
    before = await meter.read()
    await collect(client, count)
    await meter.settle()
    return per_execution(before, await meter.read(), count)


async def fired(client: Client, meter: Meter, count: int) -> dict[str, Any]:
    """Executions that users make: one cue fired over the API."""
    cue = await client.create_once(f"fire-{time.time_ns()}", in_seconds(86_400), "/fired")
    before = await meter.read()
    await concurrently(AT_ONCE, [partial(client.call, "POST", f"/v1/cues/{cue}/fire", {})] * count)
    await collect(client, count)
    await meter.settle()
    return per_execution(before, await meter.read(), count)


async def run(count: int) -> dict[str, Any]:
    """Start a stack and a receiver, and measure both."""
    port = free_port()
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.receiver", str(port)
    )
    environment = {"DISABLE_QUOTA_ENFORCEMENT": "true", "CUEAPI_LOG_LEVEL": "warning"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with (
                Stack(Path(folder), env=environment) as stack,
                Client(stack.base_url, f"http://127.0.0.1:{port}") as client,
            ):
                database = Database(stack.database_url, max_connections=1, name="bench")
                await database.open()
                meter = Meter(stack, database)
                by_time = await scheduled(client, meter, count)
                await client.arrivals()
                by_users = await fired(client, meter, count)
                await database.close()
    finally:
        receiver.terminate()
        await receiver.wait()
    load = os.getloadavg()[0]
    return {"executions": count, "load": load, "scheduled": by_time, "fired": by_users}


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else EXECUTIONS
    print(json.dumps(uvloop.run(run(wanted)), indent=1))
