from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import Counter, Histogram

from deploy.local.ports import LOOPBACK, free_port
from deploy.local.waiting import answers, until
from libs.runtime.health import Health, HealthServer

SECONDS = 10.0

PROBED = Counter("cueapi_test_probed_total", "Counts what this test does")
TOOK = Histogram("cueapi_test_took_seconds", "Observes what this test says")


@asynccontextmanager
async def serving(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://{LOOPBACK}:{(port := free_port())}"
    task = asyncio.create_task(HealthServer(health, LOOPBACK, port).run())
    try:
        await until(lambda: answers(f"{url}/metrics"), SECONDS)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield client
    finally:
        task.cancel()
        await asyncio.wait([task])


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def never() -> bool:
    await asyncio.Event().wait()
    return True


async def test_a_process_whose_parts_all_beat_is_alive() -> None:
    health = Health()
    health.beat("relay")
    async with serving(health) as client:
        answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"stale": []})


async def test_a_process_with_a_part_that_stands_still_is_not_alive() -> None:
    health = Health(stale_seconds=0.0)
    health.beat("relay")
    health.beat("firing")
    async with serving(health) as client:
        answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (503, {"stale": ["firing", "relay"]})


def test_a_part_is_still_when_it_has_not_beaten_for_half_a_minute() -> None:
    health = Health()
    assert health.stale_parts() == []
    health.beat("relay")
    assert health.stale_parts() == []


async def test_liveness_does_not_ask_other_servers() -> None:
    health = Health()
    health.require("postgres", never)
    async with serving(health) as client:
        assert (await client.get("/livez", timeout=1)).status_code == 200


async def test_a_process_is_ready_while_all_it_needs_is_there() -> None:
    health = Health()
    health.accepting = True
    health.require("postgres", yes)
    async with serving(health) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"missing": []})
        health.require("broker", no)
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"missing": ["broker"]})


async def test_a_process_that_starts_or_stops_is_not_ready() -> None:
    health = Health()
    health.require("postgres", yes)
    async with serving(health) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"missing": ["starting or stopping"]})


async def test_what_does_not_answer_in_two_seconds_is_missing() -> None:
    health = Health()
    health.accepting = True
    health.require("postgres", never)
    health.require("broker", never)
    async with asyncio.timeout(4):
        assert await health.missing() == ["postgres", "broker"]


async def test_metrics_are_served_as_prometheus_reads_them() -> None:
    PROBED.inc()
    async with serving(Health()) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "cueapi_test_probed_total 1.0" in answer.text


async def test_who_asks_for_openmetrics_gets_the_traces_of_observations() -> None:
    TOOK.observe(0.3, {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    async with serving(Health()) as client:
        accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
        answer = await client.get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert '# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.3' in answer.text
    assert answer.text.endswith("# EOF\n")


async def test_a_port_that_is_taken_ends_the_part() -> None:
    async with serving(Health()) as client:
        taken = client.base_url.port
        assert taken is not None
        with pytest.raises(OSError, match="in use"):
            await HealthServer(Health(), LOOPBACK, taken).run()
