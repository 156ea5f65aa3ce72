"""A rolling restart by SIGTERM under load: nobody notices."""

import random

import pytest

from tests.e2e.client import Api
from tests.e2e.world import World
from tests.faults.faults import restart
from tests.faults.load import Load

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def lost(world: World) -> int:
    """How many attempts have been lost so far."""
    rows = await world.rows("select count(*) as count from events where type = 'AttemptLost'")
    return int(rows[0]["count"])


async def test_services_are_restarted_one_by_one_under_load(
    world: World, api: Api, dice: random.Random
) -> None:
    lost_before = await lost(world)
    services = [
        dice.choice(world.stack.services[name])
        for name in ("scheduler", "dispatcher", "outcomes", "alerts")
    ]
    dice.shuffle(services)
    begin = len(world.history.exchanges)
    async with Load(world, api) as load:
        for service in services:
            await load.progress(10)
            await restart(service)
        await load.progress()
    statuses = {exchange.status for exchange in world.history.exchanges[begin:]}
    assert {status for status in statuses if status is None or status >= 500} == set()
    # What was on the wire was put on record before its dispatcher ended.
    assert await lost(world) == lost_before
    assert load.doubled() == []
