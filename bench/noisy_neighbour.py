"""How late others are, and what the dispatcher takes, while a thousand receivers of one account
hang.

Each of the thousand is a host of its own, so that neither the bound by host nor a circuit spares
the dispatcher any of them. They are tried again at once and for as long as the question lasts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import psutil

from bench.delivery import steady
from bench.load import Client, concurrently, in_seconds
from libs.runtime.postgres import Database

RECEIVERS = 1_000
TIMEOUT_SECONDS = 5
PER_SECOND, SECONDS = 20, 20

_OVERTIME = """
select count(*) as attempts,
       coalesce(max(extract(epoch from ended.recorded_at - began.recorded_at)), 0)::float8
         as longest
  from events began
  join events ended on ended.stream_id = began.stream_id
                   and ended.data->>'epoch' = began.data->>'epoch'
 where began.type = 'AttemptStarted' and ended.type = 'AttemptFailed'
   and ended.data->>'error' = 'timeout'
"""


async def noisy_neighbour(client: Client, database_url: str, pid: int) -> dict[str, float]:
    """Compare lateness without and with the hanging account; `pid` is the dispatcher's."""
    normal = await steady(client, PER_SECOND, SECONDS)
    process = psutil.Process(pid)
    before = _resident_mib(process)
    async with _hanging() as port, Client(client.base_url, client.receiver_url) as noisy:
        cues = await _hang(noisy, port)
        sampling = asyncio.create_task(_most_resident_mib(process))
        try:
            noisily = await steady(client, PER_SECOND, SECONDS)
        finally:
            sampling.cancel()
        most = await sampling
        in_flight, longest = await _attempts(database_url)
        await _end(noisy, cues)
    return {
        "hanging": RECEIVERS,
        "timed_out_attempts": in_flight,
        "normal_late_p50_ms": normal["late_p50_ms"],
        "normal_late_p99_ms": normal["late_p99_ms"],
        "noisy_late_p50_ms": noisily["late_p50_ms"],
        "noisy_late_p99_ms": noisily["late_p99_ms"],
        "p99_ratio": noisily["late_p99_ms"] / normal["late_p99_ms"],
        "longest_over_deadline_ms": (longest - TIMEOUT_SECONDS) * 1_000,
        "dispatcher_grew_mib": most - before,
        "duplicates": noisily["duplicates"],
    }


@asynccontextmanager
async def _hanging() -> AsyncIterator[int]:
    """Listen on every address of the loopback, read what comes, and say nothing."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65_536):
                pass
        except ConnectionError:
            pass  # the dispatcher gave up
        finally:
            writer.close()

    server = await asyncio.start_server(hang, "0.0.0.0", 0, backlog=2_048)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _hang(noisy: Client, port: int) -> list[str]:
    """Make the thousand cues, let all come due, and wait until they fill what they may."""
    due = in_seconds(RECEIVERS / 100 + 5)
    cues: list[str] = []

    async def make(number: int) -> None:
        body = {
            "name": f"hanging-{number}",
            "schedule": {"type": "once", "at": due.isoformat()},
            "callback": {"url": f"http://127.1.{number // 250}.{number % 250 + 1}:{port}/hang"},
            "delivery": {"timeout_seconds": TIMEOUT_SECONDS},
            "retry": {"max_attempts": 10, "backoff_minutes": [0]},
        }
        cues.append(str((await noisy.call("POST", "/v1/cues", body))["id"]))

    await concurrently(16, [partial(make, number) for number in range(RECEIVERS)])
    await asyncio.sleep(max(0.0, (due - in_seconds(0)).total_seconds()) + TIMEOUT_SECONDS)
    return cues


async def _end(noisy: Client, cues: list[str]) -> None:
    await concurrently(8, [partial(noisy.delete, f"/v1/cues/{cue}") for cue in cues])


async def _attempts(database_url: str) -> tuple[int, float]:
    database = Database(database_url, max_connections=2, name="bench")
    await database.open()
    try:
        [row] = await database.rows(_OVERTIME)
    finally:
        await database.close()
    return row["attempts"], row["longest"]


async def _most_resident_mib(process: psutil.Process) -> float:
    most = _resident_mib(process)
    try:
        while True:
            await asyncio.sleep(0.5)
            most = max(most, _resident_mib(process))
    except asyncio.CancelledError:
        return most


def _resident_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20
