"""Many who want the same thing at once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from tests.e2e.client import Api, ok, refused, soon
from tests.e2e.receiver import Answer
from tests.faults.scene import Scene, fault

WORKERS = 20
CLAIMABLE = 60
REPORTS = 50
CHANGED = 60
AHEAD_SECONDS = 6.0


@fault()
async def claim_storm(scene: Scene) -> None:
    """20 workers claim 60 executions at once; each is one worker's."""
    api = await scene.world.account()
    cue = await api.worker_cue(retry={"max_attempts": 1})
    fired = await asyncio.gather(*(api.fire(cue["id"]) for _ in range(CLAIMABLE)))
    claimed: list[str] = []

    async def work(worker_id: str) -> None:
        while (claim := await api.post("/v1/executions/claim", {"worker_id": worker_id})).accepted:
            claimed.append(claim.body["execution_id"])
            path = f"/v1/executions/{claimed[-1]}/outcome"
            ok(await api.insist("POST", path, {"success": True, "worker_id": worker_id}))

    await asyncio.gather(*(work(f"w{number}") for number in range(WORKERS)))
    assert Counter(claimed) == Counter(fired)
    scene.saw(f"{WORKERS} workers had {len(claimed)} executions, each once", claimed)
    await scene.recovered()


@fault()
async def outcome_storm(scene: Scene) -> None:
    """50 reports of one execution at once: one is accepted, the others are told of it."""
    api = await scene.world.account()
    cue = await api.worker_cue()
    execution_id = await api.fire(cue["id"])
    ok(await api.insist("POST", f"/v1/executions/{execution_id}/claim", {"worker_id": "w"}))
    report = f"/v1/executions/{execution_id}/outcome"
    answers = await asyncio.gather(
        *(api.post(report, {"success": n % 2 == 0, "worker_id": "w"}) for n in range(REPORTS))
    )
    accepted = [answer for answer in answers if answer.accepted]
    assert len(accepted) == 1
    for answer in answers:
        if not answer.accepted:
            refused(answer, 409, "outcome_already_recorded")
    scene.saw(f"1 of {len(answers)} reports was accepted", len(answers) == REPORTS)
    await scene.recovered()


@fault()
async def changes_while_firing(scene: Scene) -> None:
    """60 cues are paused, patched and deleted in the very moment in which they come due."""
    api = await scene.world.account()
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    schedule = soon(AHEAD_SECONDS)
    due = datetime.fromisoformat(schedule["at"])
    made = await asyncio.gather(
        *(
            api.insist("POST", "/v1/cues", api.cue_body(hook, schedule=schedule))
            for _ in range(CHANGED)
        )
    )
    cues = [ok(each, 201)["id"] for each in made]
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
    answers = await asyncio.gather(*(_change(api, key, n) for n, key in enumerate(cues)))
    took = Counter(answer for answer in answers)
    scene.saw(f"changes were answered {dict(took)}", sum(took.values()) == CHANGED)
    await scene.recovered()
    # Each slot is an execution or a skip on record, which the check looks at.
    for number, key in enumerate(cues):
        if number % 3 == 0:
            await api.insist("PATCH", f"/v1/cues/{key}", {"status": "active"})


async def _change(api: Api, cue_id: str, number: int) -> int | None:
    path = f"/v1/cues/{cue_id}"
    match number % 3:
        case 0:
            return (await api.insist("PATCH", path, {"status": "paused"})).status
        case 1:
            return (await api.insist("PATCH", path, {"schedule": soon(60)})).status
        case _:
            return (await api.insist("DELETE", path)).status
