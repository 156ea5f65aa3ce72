"""Workers: they look, claim, keep and report (contract §7)."""

import asyncio
from collections import Counter
from datetime import datetime
from uuid import uuid4

import pytest

from tests.e2e.client import Api, ok, refused
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e


async def test_a_worker_takes_an_execution_from_claimable_to_its_outcome(api: Api) -> None:
    cue = await api.worker_cue(payload={"task": "sync", "agent": "macmini", "n": 1})
    assert "No active workers" in cue["warning"]
    execution_id = await api.fire(cue["id"])
    listed = ok(await api.get("/v1/executions/claimable?task=sync&agent=macmini"))
    [item] = listed["executions"]
    assert item["execution_id"] == execution_id
    assert (item["task"], item["attempt"], item["payload"]["n"]) == ("sync", 1, 1)
    other = ok(await api.get("/v1/executions/claimable?task=other"))
    assert other["executions"] == []

    claimed = ok(await api.post(f"/v1/executions/{execution_id}/claim", {"worker_id": "w1"}))
    assert (claimed["claimed"], claimed["attempt"], claimed["lease_seconds"]) == (True, 1, 900)
    assert claimed["payload"] == cue["payload"]
    held = await api.execution(execution_id)
    assert (held["status"], held["claimed_by_worker"]) == ("delivering", "w1")
    taken = await api.post(f"/v1/executions/{execution_id}/claim", {"worker_id": "w1"})
    refused(taken, 409, "claim_failed")

    path = f"/v1/executions/{execution_id}/heartbeat"
    kept = ok(await api.post(path, X_Worker_Id="w1"))
    extended = datetime.fromisoformat(kept["lease_extended_until"])
    assert extended > datetime.fromisoformat(claimed["lease_expires_at"])
    refused(await api.post(path, X_Worker_Id="w2"), 403, "not_execution_owner")

    path = f"/v1/executions/{execution_id}/outcome"
    refused(await api.post(path, {"success": True, "worker_id": "w2"}), 403, "not_execution_owner")
    ok(await api.post(path, {"success": True, "worker_id": "w1", "result": "synced"}))
    done = await api.execution(execution_id)
    assert (done["status"], done["outcome_state"]) == ("success", "reported_success")
    refused(
        await api.post(f"/v1/executions/{execution_id}/heartbeat"), 409, "execution_not_claiming"
    )


async def test_a_workers_failure_is_final(api: Api) -> None:
    cue = await api.worker_cue()
    execution_id = await api.fire(cue["id"])
    ok(await api.post("/v1/executions/claim", {"worker_id": "w1"}))
    path = f"/v1/executions/{execution_id}/outcome"
    assert ok(await api.post(path, {"success": False, "error": "no"}))["status"] == "failed"
    refused(await api.post("/v1/executions/claim", {"worker_id": "w1"}), 409, "claim_failed")


async def test_the_oldest_match_is_claimed_first(api: Api) -> None:
    other = await api.worker_cue(payload={"task": "other"})
    wanted = await api.worker_cue(payload={"task": "wanted"})
    await api.fire(other["id"])
    oldest, newest = await api.fire(wanted["id"]), await api.fire(wanted["id"])
    claims = [
        ok(await api.post("/v1/executions/claim", {"worker_id": "w1", "task": "wanted"}))
        for _ in range(2)
    ]
    assert [claim["execution_id"] for claim in claims] == [oldest, newest]
    nothing = await api.post("/v1/executions/claim", {"worker_id": "w1", "task": "wanted"})
    refused(nothing, 409, "claim_failed")


async def test_a_claim_can_wait_for_work(api: Api) -> None:
    cue = await api.worker_cue()
    waiting = asyncio.create_task(
        api.post("/v1/executions/claim", {"worker_id": "w1", "wait_seconds": 20})
    )
    execution_id = await api.fire(cue["id"])
    assert ok(await waiting)["execution_id"] == execution_id


async def test_twenty_workers_share_thirty_executions_without_a_quarrel(api: Api) -> None:
    cue = await api.worker_cue()
    fired = await asyncio.gather(*(api.fire(cue["id"]) for _ in range(30)))

    async def work(worker_id: str) -> list[str]:
        done = []
        while (claim := await api.post("/v1/executions/claim", {"worker_id": worker_id})).accepted:
            done.append(claim.body["execution_id"])
            path = f"/v1/executions/{done[-1]}/outcome"
            ok(await api.post(path, {"success": True, "worker_id": worker_id}))
        refused(claim, 409, "claim_failed")
        return done

    shares = await asyncio.gather(*(work(f"w{n}") for n in range(20)))
    # A claim can find all that is left locked by others for a moment, and give up too early.
    shares.append(await work("last"))
    assert Counter(fired) == Counter(done for share in shares for done in share)


async def test_of_many_claims_of_one_execution_one_wins(api: Api) -> None:
    cue = await api.worker_cue()
    path = f"/v1/executions/{await api.fire(cue['id'])}/claim"
    answers = await asyncio.gather(*(api.post(path, {"worker_id": f"w{n}"}) for n in range(20)))
    assert Counter(answer.status for answer in answers) == {200: 1, 409: 19}


async def test_a_worker_that_beats_is_an_active_worker(api: Api) -> None:
    beat = {"worker_id": f"worker-{uuid4()}", "handlers": ["sync"]}
    assert ok(await api.post("/v1/worker/heartbeat", beat))["acknowledged"] is True
    assert (await api.worker_cue())["warning"] is None

    async def counted() -> bool | None:
        body = ok(await api.get("/health"))
        return body["services"]["worker"] == "ok" or None

    await eventually(counted, "the worker shows in /health")
