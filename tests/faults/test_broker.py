"""The broker is lost, or loses all it held: Postgres is the truth, so nothing is lost with it."""

import pytest

from tests.e2e.client import Api, ok, refused, soon
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.e2e.world import World
from tests.faults.faults import wipe
from tests.faults.load import Load

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def stream_created_at(world: World) -> str:
    """When the stream of events was made, as the relay has seen it."""
    rows = await world.rows("select stream_created_at from relay")
    return str(rows[0]["stream_created_at"])


async def test_jetstream_is_wiped_while_executions_run(world: World, api: Api) -> None:
    before = await stream_created_at(world)
    async with Load(world, api) as load:
        await load.progress()
        await wipe(world.stack.nats)
        await load.progress()
        assert await stream_created_at(world) != before
    assert load.doubled() == []


async def test_the_broker_is_down_for_a_while(world: World, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    hand_fired, worker_cue = await api.webhook_cue(hook), await api.worker_cue()
    claimable = await api.fire(worker_cue["id"])
    scheduled = await api.webhook_cue(hook, schedule=soon(4))
    await world.stack.nats.kill()

    async def notices() -> bool | None:
        status = ok(await world.client().get("/status"))
        return status == {"status": "degraded", "reason": "broker unreachable"} or None

    await eventually(notices, "the API notices that the broker is gone")
    for exchange in [
        await api.post(f"/v1/cues/{hand_fired['id']}/fire"),
        await api.post("/v1/cues", {"name": "n", "schedule": soon(60), "transport": "worker"}),
        await api.post(f"/v1/executions/{claimable}/claim", {"worker_id": "w"}),
        await api.post(f"/v1/executions/{claimable}/outcome", {"success": True}),
        await api.call("DELETE", f"/v1/cues/{hand_fired['id']}"),
    ]:
        refused(exchange, 503, "service_unavailable")
        assert int(exchange.headers["retry-after"]) >= 1
    assert ok(await api.get("/v1/cues"))["total"] == 3
    assert len(ok(await api.get("/v1/executions/claimable"))["executions"]) == 1
    # Firing, delivery and the outcome in the answer go on.
    done = await api.only_execution(scheduled["id"], outcome_state="reported_success")
    assert done["status"] == "success"
    await api.cue_when(scheduled["id"], status="completed")
    assert not world.stack.nats.running

    await world.stack.nats.start()
    await api.when(await api.fire(hand_fired["id"]), outcome_state="reported_success")
    claim = await api.insist("POST", f"/v1/executions/{claimable}/claim", {"worker_id": "w"})
    assert ok(claim)["attempt"] == 1
    report = {"success": True, "worker_id": "w"}
    ok(await api.insist("POST", f"/v1/executions/{claimable}/outcome", report))
