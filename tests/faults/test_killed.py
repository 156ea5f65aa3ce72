"""`kill -9` of each service: nothing is lost, and only what could not be recorded is repeated."""

import asyncio
import random

import pytest

from deploy.local.programs import SERVICES
from libs.events.execution_events import AttemptLost, LateResultRecorded
from tests.e2e.client import Api
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.e2e.world import World
from tests.faults.faults import kill_9
from tests.faults.load import Load
from tests.faults.users import DELIVERY, RETRY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_each_service_is_killed_under_load(
    world: World, api: Api, dice: random.Random
) -> None:
    victims = [dice.choice(world.stack.services[name]) for name in SERVICES]
    dice.shuffle(victims)
    async with Load(world, api) as load:
        for victim in victims:
            await load.progress(dice.randrange(5, 25))
            await kill_9(victim)
        await load.progress()


async def test_what_a_dead_dispatcher_had_on_the_wire_is_sent_again(world: World, api: Api) -> None:
    hook = api.hook()
    hook.script.extend([Answer(hangs=True)] * 5)
    cue = await api.webhook_cue(hook, retry=RETRY, delivery=DELIVERY)
    fired = [await api.fire(cue["id"]) for _ in range(5)]
    await hook.arrival(5)
    await asyncio.gather(*(kill_9(service) for service in world.stack.services["dispatcher"]))
    for execution_id in fired:
        done = await api.when(execution_id, status="success")
        assert done["attempts"] == 2
        assert "AttemptLost" in await api.timeline(execution_id)
    hook.let_go()
    assert len((await world.check()).all(AttemptLost)) >= 5


async def test_a_dispatcher_that_wakes_up_after_its_lease_changes_nothing(
    world: World, api: Api
) -> None:
    sleeper, other = world.stack.services["dispatcher"]
    await other.stop()
    hook = api.hook()
    hook.script.append(Answer(500, hangs=True))
    cue = await api.webhook_cue(hook, retry=RETRY, delivery=DELIVERY)
    execution_id = await api.fire(cue["id"])
    await hook.arrival()
    sleeper.pause()
    await other.start()
    done = await api.when(execution_id, status="success")
    assert done["attempts"] == 2
    hook.let_go()
    sleeper.resume()

    async def told() -> bool | None:
        return "LateResultRecorded" in await api.timeline(execution_id) or None

    await eventually(told, "the late result is on record")
    assert (await api.execution(execution_id))["status"] == "success"
    assert (await world.check()).all(LateResultRecorded)
