"""Postgres is killed: the API says so, work waits, and everything goes on when it is back."""

import asyncio

import pytest

from tests.e2e.client import Api, ok, refused, soon
from tests.e2e.waiting import eventually
from tests.e2e.world import World
from tests.faults.faults import kill_9
from tests.faults.load import Load

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_the_database_is_killed_and_restarted_under_load(world: World, api: Api) -> None:
    async with Load(world, api) as load:
        for _ in range(2):
            await load.progress()
            await kill_9(world.stack.postgres)
        await load.progress()


async def test_while_the_database_is_away_the_api_says_so(world: World, api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    due_meanwhile = await api.webhook_cue(hook, schedule=soon())
    await world.stack.postgres.kill()
    asked = [
        api.get("/v1/cues"),
        api.get(f"/v1/cues/{cue['id']}"),
        api.post(f"/v1/cues/{cue['id']}/fire"),
        api.post("/v1/cues", {"name": "n", "schedule": soon(60), "transport": "worker"}),
        api.post("/v1/auth/register", {"email": "away@example.com"}),
        *(api.get("/v1/executions") for _ in range(20)),
    ]
    anybody = world.client()
    status, health, *refusals = await asyncio.gather(
        anybody.get("/status"), anybody.get("/health"), *asked
    )
    assert (status.status, status.body["status"]) == (503, "down")
    assert ok(health)["services"]["postgres"] == "error"
    for exchange in refusals:
        refused(exchange, 503, "service_unavailable")
        assert int(exchange.headers["retry-after"]) >= 1
    await world.stack.postgres.start()

    async def answers() -> bool | None:
        return (await api.get("/v1/cues")).status == 200 or None

    await eventually(answers, "the API answers again")
    await api.only_execution(due_meanwhile["id"], status="success")
    await api.when(await api.fire(cue["id"]), status="success")
