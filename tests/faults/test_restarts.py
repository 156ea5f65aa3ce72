"""A rolling restart by SIGTERM under load: nobody notices."""

import random

import pytest

from deploy.local.programs import SERVICES
from tests.e2e.client import Api
from tests.e2e.world import World
from tests.faults.balancer import Balancer, balanced
from tests.faults.faults import restart
from tests.faults.load import Load

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def lost(world: World) -> int:
    """How many attempts have been lost so far."""
    rows = await world.rows("select count(*) as count from events where type = 'AttemptLost'")
    return int(rows[0]["count"])


async def test_every_replica_is_restarted_under_load(world: World, dice: random.Random) -> None:
    lost_before = await lost(world)
    replicas = [replica for name in SERVICES for replica in world.stack.services[name]]
    assert len(replicas) == 2 * len(SERVICES)
    dice.shuffle(replicas)
    balancer = Balancer(world.stack.services["api"])
    async with balanced(balancer) as http:
        api = await Api(http, world.history, world.receiver).register()
        begin = len(world.history.exchanges)
        async with Load(world, api) as load:
            for replica in replicas:
                await load.progress(10)
                await restart(replica)
            await load.progress()
    exchanges = world.history.exchanges[begin:]
    # No request was dropped, and none was refused for a time, though nothing was tried twice.
    bad = [(e.status, e.path) for e in exchanges if e.status is None or e.status >= 500]
    assert bad == []
    assert min(balancer.sent.values()) > len(exchanges) / 10
    # What was on the wire was put on record before its dispatcher ended.
    assert await lost(world) == lost_before
    assert load.doubled() == []
