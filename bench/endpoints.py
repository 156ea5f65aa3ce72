"""The API's hot endpoints, each over 32 connections, with 100,000 executions in the tables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle, islice
from typing import Any

import psycopg

from bench.load import Client, Json, concurrently, in_seconds, percentiles

CONNECTIONS = 32
EXECUTIONS, ACCOUNTS = 100_000, 20
CUES = 400
READS, WRITES = 3_000, 2_000

Job = Callable[[], Awaitable[Any]]

# Half of the executions are of the account that asks; the rest of others.
_COPIES = """
insert into executions (id, account_id, cue_id, transport, status, triggered_by, scheduled_for,
                        created_at, outcome_state, has_evidence, version, state)
select made.id, case when made.n % 2 = 0 then e.account_id
                     else md5((made.n % %(accounts)s)::text)::uuid end,
       e.cue_id, e.transport, e.status, e.triggered_by, made.at, made.at, e.outcome_state,
       e.has_evidence, e.version, replace(e.state::text, e.id::text, made.id::text)::json
  from executions e,
       (select n, gen_random_uuid() as id, now() - n * interval '20 seconds' as at
          from generate_series(1, %(count)s) n) made
 where e.id = %(id)s
"""


async def endpoints(client: Client, database_url: str) -> dict[str, float]:
    """Give requests a second and the 99th percentile, in milliseconds, of each endpoint."""
    cues = await _cues(client)
    ended = await _ended(client, cues[0])
    await asyncio.to_thread(_fill, database_url, ended)
    figures: dict[str, float] = {}
    for name, job in _reads(client, cues, ended).items():
        figures |= _figures(name, await concurrently(CONNECTIONS, [job] * READS))
    for name, jobs in _writes(client, cues):
        figures |= _figures(name, await concurrently(CONNECTIONS, await jobs))
    return figures


def _reads(client: Client, cues: list[str], ended: str) -> dict[str, Job]:
    each = cycle(cues)
    paths: dict[str, Callable[[], str]] = {
        "GET /v1/auth/me": lambda: "/v1/auth/me",
        "GET /v1/usage": lambda: "/v1/usage",
        "GET /v1/cues": lambda: "/v1/cues",
        "GET /v1/cues/{id}": lambda: f"/v1/cues/{next(each)}",
        "GET /v1/executions": lambda: "/v1/executions",
        "GET /v1/executions?status=failed": lambda: "/v1/executions?status=failed",
        "GET /v1/executions?cue_id=": lambda: f"/v1/executions?cue_id={next(each)}",
        "GET /v1/executions/{id}": lambda: f"/v1/executions/{ended}",
        "GET /v1/executions/{id}/timeline": lambda: f"/v1/executions/{ended}/timeline",
        "GET /v1/executions/claimable": lambda: "/v1/executions/claimable",
        "GET /v1/alerts": lambda: "/v1/alerts",
    }
    return {name: _get(client, path) for name, path in paths.items()}


def _get(client: Client, path: Callable[[], str]) -> Job:
    return lambda: client.call("GET", path())


def _writes(client: Client, cues: list[str]) -> Iterator[tuple[str, Awaitable[list[Job]]]]:
    at, name = in_seconds(86_400), f"write-{time.time_ns()}"
    each = cycle(cues)
    fired: list[str] = []

    async def fire() -> None:
        answer = await client.call("POST", f"/v1/cues/{next(each)}/fire", {})
        fired.append(answer["id"])

    def post(path: str, body: Json) -> Job:
        return lambda: client.call("POST", path, body)

    async def creates() -> list[Job]:
        return [
            lambda n=n: client.create_once(f"{name}-{n}", at)  # type: ignore[misc]
            for n in range(WRITES)
        ]

    async def patches() -> list[Job]:
        return [
            lambda cue=cue, n=n: client.call(  # type: ignore[misc]
                "PATCH", f"/v1/cues/{cue}", {"description": f"changed {n}"}
            )
            for n, cue in enumerate(islice(cycle(cues), WRITES))
        ]

    async def fires() -> list[Job]:
        return [fire] * WRITES

    async def claims() -> list[Job]:
        return [post("/v1/executions/claim", {"worker_id": "bench"})] * WRITES

    async def outcomes() -> list[Job]:
        return [
            post(f"/v1/executions/{execution}/outcome", {"success": True, "result": "done"})
            for execution in fired
        ]

    async def heartbeats() -> list[Job]:
        return [post("/v1/worker/heartbeat", {"worker_id": "bench"})] * WRITES

    yield "POST /v1/cues", creates()
    yield "PATCH /v1/cues/{id}", patches()
    yield "POST /v1/cues/{id}/fire", fires()
    yield "POST /v1/executions/claim", claims()
    yield "POST /v1/executions/{id}/outcome", outcomes()
    yield "POST /v1/worker/heartbeat", heartbeats()


async def _cues(client: Client) -> list[str]:
    """Worker cues, so that no delivery runs beside what is measured."""
    name = f"endpoints-{time.time_ns()}"
    body = {"schedule": {"type": "recurring", "cron": "0 0 1 1 *"}, "transport": "worker"}
    made: list[str] = []

    async def create(n: int) -> None:
        answer = await client.call("POST", "/v1/cues", {"name": f"{name}-{n}", **body})
        made.append(answer["id"])

    await concurrently(CONNECTIONS, [lambda n=n: create(n) for n in range(CUES)])  # type: ignore[misc]
    return made


async def _ended(client: Client, cue: str) -> str:
    await client.call("POST", f"/v1/cues/{cue}/fire", {"payload_override": {"task": "sync"}})
    claim = await client.call("POST", "/v1/executions/claim", {"worker_id": "bench"})
    execution = str(claim["execution_id"])
    await client.call("POST", f"/v1/executions/{execution}/outcome", {"success": True})
    return execution


def _fill(database_url: str, ended: str) -> None:
    params = {"id": ended, "count": EXECUTIONS, "accounts": ACCOUNTS}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_COPIES.replace("n % ", "n %% "), params)
        connection.execute("analyze executions")


def _figures(name: str, run: tuple[float, list[float]]) -> dict[str, float]:
    seconds, latencies = run
    return {
        f"{name} per second": len(latencies) / seconds,
        f"{name} p99 ms": percentiles(latencies)["p99"] * 1000,
    }
