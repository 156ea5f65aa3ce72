"""Cues that are paused, resumed, deleted or changed, also while they are due (contract §4, §5)."""

import asyncio
from datetime import datetime

import pytest

from tests.e2e.client import Api, JsonObject, in_seconds, ok, refused, soon
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


async def past(world: World, instant: str) -> None:
    """Wait until an instant is more than a look of the scheduler's ago, on the database's clock."""

    async def look() -> bool | None:
        passed = "select now() > %s::timestamptz + interval '1.2 seconds' as passed"
        return (await world.rows(passed, instant))[0]["passed"] or None

    await eventually(look, f"{instant} is past")


async def test_a_paused_cue_does_not_fire(api: Api, world: World) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook, schedule=soon())
    path = f"/v1/cues/{cue['id']}"
    paused = ok(await api.call("PATCH", path, {"status": "paused"}))
    assert (paused["status"], paused["next_run"]) == ("paused", None)
    await past(world, cue["schedule"]["at"])
    refused(await api.call("PATCH", path, {"status": "active"}), 400, "invalid_schedule")
    assert hook.arrivals == []
    # By hand it fires in any status.
    await api.when(await api.fire(cue["id"]), status="success")
    assert (await api.cue(cue["id"]))["status"] == "paused"


async def test_a_resumed_cue_fires(api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    cue = await api.webhook_cue(hook, schedule=soon(3))
    path = f"/v1/cues/{cue['id']}"
    ok(await api.call("PATCH", path, {"status": "paused"}))
    resumed = ok(await api.call("PATCH", path, {"status": "active"}))
    assert resumed["next_run"] == cue["next_run"]
    await api.only_execution(cue["id"], status="success")
    await api.cue_when(cue["id"], status="completed")


async def test_a_cue_can_be_moved_to_another_time(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    moved = ok(await api.call("PATCH", f"/v1/cues/{cue['id']}", {"schedule": soon()}))
    assert moved["next_run"] == moved["schedule"]["at"]
    execution = await api.only_execution(cue["id"], status="success")
    assert execution["scheduled_for"] == moved["next_run"]


async def test_a_deleted_cue_is_gone_at_once_with_all_that_is_pending(
    api: Api, world: World
) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook, schedule=soon())
    later = ok(await api.post(f"/v1/cues/{cue['id']}/fire", {"send_at": in_seconds(2)}))
    assert (await api.call("DELETE", f"/v1/cues/{cue['id']}")).status == 204
    refused(await api.get(f"/v1/cues/{cue['id']}"), 404, "cue_not_found")
    refused(await api.get(f"/v1/executions/{later['id']}"), 404, "execution_not_found")
    await past(world, later["scheduled_for"])
    assert hook.arrivals == []
    again = await api.webhook_cue(hook, name=cue["name"])
    assert again["id"] != cue["id"]


async def test_cues_deleted_and_paused_as_they_come_due_end_on_record(api: Api) -> None:
    # Whichever comes first, the slot or the command, the ledger says so: see the invariants.
    hook = api.hook()
    schedule = soon(3)
    cues = [await api.webhook_cue(hook, schedule=schedule) for _ in range(12)]
    moment = datetime.fromisoformat(cues[0]["schedule"]["at"])

    async def end(cue: JsonObject, number: int) -> None:
        offset = (number - 6) * 0.04
        await asyncio.sleep((moment - datetime.now(moment.tzinfo)).total_seconds() + offset)
        path = f"/v1/cues/{cue['id']}"
        if number % 2:
            assert (await api.call("DELETE", path)).status == 204
        else:
            answer = await api.call("PATCH", path, {"status": "paused"})
            if answer.status != 200:
                refused(answer, 409, "invalid_state")

    await asyncio.gather(*(end(cue, number) for number, cue in enumerate(cues)))
