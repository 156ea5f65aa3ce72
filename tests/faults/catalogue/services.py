"""Faults of the services' own processes."""

import asyncio
from itertools import chain

from deploy.local.programs import SERVICES
from deploy.local.service import Service
from libs.events.execution_events import LateResultRecorded
from libs.runtime.clock import monotonic
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.faults.faults import counter, kill_9, restart
from tests.faults.scene import Scene, fault
from tests.faults.users import DELIVERY, RETRY

KILLING_SECONDS = 60.0
KILLS = 20
PAUSE_SECONDS = 8.0


def every_service(scene: Scene) -> list[Service]:
    """All replicas of all services."""
    return list(chain.from_iterable(scene.world.stack.services.values()))


@fault(may_double=True)
async def kill_services_at_random(scene: Scene) -> None:
    """`kill -9` of services at random, for 60 s."""
    killed: list[str] = []
    async with scene.under_load():
        async with asyncio.TaskGroup() as restarts:
            await _kill_at_random(scene, restarts, killed)
        await scene.recovered()
    scene.saw(f"{len(killed)} kills, of {len(set(killed))} replicas", len(killed) >= KILLS)


async def _kill_at_random(scene: Scene, restarts: asyncio.TaskGroup, killed: list[str]) -> None:
    ends_at = monotonic() + KILLING_SECONDS
    # Each service once; after that, whichever the dice say.
    victims = [scene.dice.choice(scene.world.stack.services[name]) for name in SERVICES]
    scene.dice.shuffle(victims)
    while monotonic() < ends_at:
        alive = [each for each in every_service(scene) if each.up]
        if victims:
            alive = [victims.pop()]
        if alive:
            victim = scene.dice.choice(alive)
            restarts.create_task(kill_9(victim))
            killed.append(victim.name)
        await asyncio.sleep(scene.dice.uniform(1, 3))


@fault()
async def rolling_restart(scene: Scene) -> None:
    """Every replica is stopped by SIGTERM and started again, one after the other."""
    replicas = every_service(scene)
    scene.dice.shuffle(replicas)
    before = {replica.name: replica.pid for replica in replicas}
    async with scene.under_load() as load:
        for replica in replicas:
            await restart(replica)
            await load.progress(5)
        changed = [replica for replica in replicas if replica.pid != before[replica.name]]
        scene.saw(f"{len(changed)} restarts", len(changed) == len(replicas))
        await scene.recovered()


@fault(may_double=True)
async def dispatcher_paused_past_its_lease(scene: Scene) -> None:
    """A dispatcher is stopped mid-POST, its lease ends, another delivers, it goes on."""
    sleeper, other = scene.world.stack.services["dispatcher"]
    await other.stop()
    api = await scene.world.account()
    hook = api.hook()
    hook.script.append(Answer(500, hangs=True))
    cue = await api.webhook_cue(hook, retry=RETRY, delivery=DELIVERY)
    execution_id = await api.fire(cue["id"])
    await hook.arrival()
    sleeper.pause()
    await other.start()
    await api.when(execution_id, status="success")
    hook.let_go()
    sleeper.resume()
    await scene.recovered()

    async def told() -> bool | None:
        return "LateResultRecorded" in await api.timeline(execution_id) or None

    await eventually(told, "the late result is on record")
    assert (await api.execution(execution_id))["status"] == "success"
    late = (await scene.world.check()).all(LateResultRecorded)
    scene.saw(f"{len(late)} results came after their lease", late)


@fault()
async def one_scheduler_paused(scene: Scene) -> None:
    """One of two schedulers is stopped for 8 s; the other one fires everything."""
    sleeper, other = scene.world.stack.services["scheduler"]
    if scene.dice.random() < 0.5:
        sleeper, other = other, sleeper
    async with scene.under_load():
        before = await counter(other, "cueapi_executions_fired_total")
        sleeper.pause()
        await asyncio.sleep(PAUSE_SECONDS)
        fired = await counter(other, "cueapi_executions_fired_total") - before
        sleeper.resume()
        scene.saw(f"{other.name} fired {fired:.0f} while {sleeper.name} stood still", fired)
        await scene.recovered()
