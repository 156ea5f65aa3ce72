"""Crashes between two steps that belong together, brought about from outside."""

import asyncio
from typing import cast

from libs.events.execution_events import AttemptLost
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.faults.faults import kill_9
from tests.faults.scene import Scene, fault
from tests.faults.stacks import BehindProxies
from tests.faults.users import DELIVERY, RETRY

ON_THE_WIRE = 5

_UNTOLD = "select count(*) as count from events e, relay r where (e.xid, e.pos) > (r.xid, r.pos)"
_FIRED = "select count(*) as count from executions where cue_id = %s"
_APPEND = b"insert into events"


async def count(scene: Scene, sql: str, *params: str) -> int:
    """Read a count."""
    [row] = await scene.world.rows(sql, *params)
    return int(row["count"])


@fault(may_double=True)
async def crash_between_commit_and_publish(scene: Scene) -> None:
    """Events are committed while nobody can be told; all who could tell are killed."""
    stack = scene.world.stack
    async with scene.under_load():
        stack.nats.pause()
        try:

            async def committed() -> int | None:
                return await count(scene, _UNTOLD) or None

            untold = await eventually(committed, "events are committed and not told of")
            await asyncio.gather(*(kill_9(each) for each in stack.services["dispatcher"]))
            for scheduler in stack.services["scheduler"]:
                await scheduler.kill()
        finally:
            stack.nats.resume()
        await asyncio.gather(*(each.start() for each in stack.services["scheduler"]))
        scene.saw(f"{untold} events were committed and not published", untold)
        await scene.recovered()


@fault("proxies", may_double=True)
async def crash_between_post_and_record(scene: Scene) -> None:
    """Dispatchers are killed after their POSTs were answered, before Postgres hears of it."""
    stack = cast("BehindProxies", scene.world.stack)
    api = await scene.world.account()
    hook = api.hook()
    hook.script.extend([Answer(body={"success": True}, hangs=True)] * ON_THE_WIRE)
    hook.answer = Answer(body={"success": True})
    cue = await api.webhook_cue(hook, retry=RETRY, delivery=DELIVERY)
    fired = [await api.fire(cue["id"]) for _ in range(ON_THE_WIRE)]
    await hook.arrival(ON_THE_WIRE)
    stack.to_postgres.dropping = True
    hook.let_go()

    async def answered() -> bool | None:
        return all(arrival.answered for arrival in hook.arrivals) or None

    await eventually(answered, "the receiver has answered")
    dispatchers = stack.services["dispatcher"]
    await asyncio.gather(*(each.kill() for each in dispatchers))
    stack.to_postgres.heal()
    await asyncio.gather(*(each.start() for each in dispatchers))
    await scene.recovered()
    for execution_id in fired:
        await api.when(execution_id, outcome_state="reported_success")
        assert "AttemptLost" in await api.timeline(execution_id)
    lost = len((await scene.world.check()).all(AttemptLost))
    scene.saw(f"{len(fired)} answers were not put on record", lost >= ON_THE_WIRE)


@fault("proxies")
async def crash_between_record_and_ack(scene: Scene) -> None:
    """A fire is committed, its scheduler never hears so and is killed; the client asks again."""
    stack = cast("BehindProxies", scene.world.stack)
    api = await scene.world.account()
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    cue = await api.webhook_cue(hook, retry=RETRY, delivery=DELIVERY)
    stack.to_postgres.hold_replies_to = (_APPEND,)
    firing = asyncio.create_task(api.fire(cue["id"]))

    async def committed() -> bool | None:
        return await count(scene, _FIRED, cue["id"]) == 1 or None

    await eventually(committed, "the fire is committed")
    unheard = not firing.done()
    schedulers = stack.services["scheduler"]
    await asyncio.gather(*(each.kill() for each in schedulers))
    stack.to_postgres.heal()
    await asyncio.gather(*(each.start() for each in schedulers))
    scene.saw("a fire was committed that nobody was told of", unheard and stack.to_postgres.held)
    execution_id = await firing
    await api.when(execution_id, outcome_state="reported_success")
    assert await count(scene, _FIRED, cue["id"]) == 1
    await scene.recovered()
