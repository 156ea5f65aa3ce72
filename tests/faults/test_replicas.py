"""Two schedulers and two dispatchers share 2,000 due cues: one execution a slot, one POST each."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.client import Api, JsonObject
from tests.e2e.receiver import Answer, Hook
from tests.e2e.waiting import eventually
from tests.e2e.world import CONNECTIONS, World
from tests.faults.faults import counter

pytestmark = pytest.mark.e2e

CUES = 2_000
AHEAD = timedelta(seconds=15)
AT_LEAST = timedelta(seconds=4)


async def create(api: Api, hook: Hook, count: int) -> list[str]:
    """Create cues that come due together, or nearly so if creating them takes long."""
    together = datetime.now(UTC) + AHEAD
    left = iter(range(count))
    made: list[str] = []

    async def create_some() -> None:
        for _ in left:
            at = max(together, datetime.now(UTC) + AT_LEAST)
            schedule: JsonObject = {"type": "once", "at": at.isoformat()}
            made.append((await api.webhook_cue(hook, schedule=schedule))["id"])

    await asyncio.gather(*(create_some() for _ in range(CONNECTIONS // 2)))
    return made


async def test_replicas_share_two_thousand_due_cues(world: World, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    work = {
        "scheduler": "cueapi_executions_fired_total",
        "dispatcher": "cueapi_attempts_total",
    }
    replicas = [(each, name) for kind, name in work.items() for each in world.stack.services[kind]]
    before = [await counter(each, name) for each, name in replicas]
    cues = await create(api, hook, CUES)

    async def settled() -> bool | None:
        sql = "select count(*) as count from cues where id = any(%s) and status = 'completed'"
        return (await world.rows(sql, cues))[0]["count"] == CUES or None

    await eventually(settled, "all are delivered", 90)
    assert Counter(arrival.headers["X-CueAPI-Cue-Id"] for arrival in hook.arrivals) == Counter(cues)
    assert {arrival.attempt for arrival in hook.arrivals} == {1}
    after = [await counter(each, name) for each, name in replicas]
    shares = [new - old for old, new in zip(before, after, strict=True)]
    assert all(shares), f"each replica did some of the work: {shares}"
