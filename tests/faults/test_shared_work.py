"""Two schedulers and two dispatchers share 2,000 due cues: one execution a slot, one POST each."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.client import Api, JsonObject, refused
from tests.e2e.receiver import Answer, Hook
from tests.e2e.waiting import eventually
from tests.e2e.world import CONNECTIONS, World
from tests.faults.faults import counter

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CUES = 2_000
MEASURED = 100
SLACK = timedelta(seconds=5)


async def create(api: Api, hook: Hook, count: int, at: datetime) -> list[str]:
    """Create cues that are due at this time, or a little later when it is nearly over."""
    left = iter(range(count))
    made: list[str] = []

    async def create_one() -> str | None:
        due = max(at, datetime.now(UTC) + SLACK)
        schedule: JsonObject = {"type": "once", "at": due.isoformat()}
        created = await api.insist("POST", "/v1/cues", api.cue_body(hook, schedule=schedule))
        if not created.accepted:  # its time passed on the way
            refused(created, 400, "invalid_schedule")
            return None
        return str(created.body["id"])

    async def create_some() -> None:
        made.extend([await eventually(create_one, "a cue") for _ in left])

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS // 2):
            group.create_task(create_some())
    return made


async def time_to_create(api: Api, hook: Hook, count: int) -> timedelta:
    """Say how long it takes on this machine, by creating some that will not come due."""
    began = datetime.now(UTC)
    await create(api, hook, MEASURED, began + timedelta(days=1))
    return (datetime.now(UTC) - began) * (count / MEASURED)


async def test_replicas_share_two_thousand_due_cues(world: World, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    work = {
        "scheduler": "cueapi_executions_fired_total",
        "dispatcher": "cueapi_attempts_total",
    }
    replicas = [(each, name) for kind, name in work.items() for each in world.stack.services[kind]]
    before = [await counter(each, name) for each, name in replicas]
    together = datetime.now(UTC) + await time_to_create(api, hook, CUES) + SLACK
    cues = await create(api, hook, CUES, together)

    async def settled() -> bool | None:
        sql = "select count(*) as count from cues where id = any(%s) and status = 'completed'"
        return (await world.rows(sql, cues))[0]["count"] == CUES or None

    await eventually(settled, "all are delivered", 90)
    assert Counter(arrival.headers["X-CueAPI-Cue-Id"] for arrival in hook.arrivals) == Counter(cues)
    assert {arrival.attempt for arrival in hook.arrivals} == {1}
    after = [await counter(each, name) for each, name in replicas]
    shares = [new - old for old, new in zip(before, after, strict=True)]
    assert all(shares), f"each replica did some of the work: {shares}"
