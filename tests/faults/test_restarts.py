"""A rolling restart by SIGTERM under load: nobody notices."""

import random

import pytest

from libs.events.executions import AttemptLost
from tests.e2e.client import Api
from tests.e2e.world import World
from tests.faults.load import Load

pytestmark = pytest.mark.e2e


async def test_services_are_restarted_one_by_one_under_load(
    world: World, api: Api, dice: random.Random
) -> None:
    lost_before = len((await world.check()).all(AttemptLost))
    services = [
        dice.choice(world.stack.services[name])
        for name in ("scheduler", "dispatcher", "outcomes", "alerts")
    ]
    dice.shuffle(services)
    begin = len(world.history.exchanges)
    async with Load(world, api) as load:
        for service in services:
            await load.progress(10)
            await service.stop()
            assert await service.ended() == 0
            await service.start()
        await load.progress()
    statuses = {exchange.status for exchange in world.history.exchanges[begin:]}
    assert {status for status in statuses if status is None or status >= 500} == set()
    assert len((await world.check()).all(AttemptLost)) == lost_before
    attempts = [arrival.attempt for arrival in load.hook.arrivals]
    assert set(attempts) == {1}
