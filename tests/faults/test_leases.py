"""A worker that falls silent loses its claim to the next one (contract §7)."""

import pytest

from tests.e2e.client import Api, ok, refused
from tests.e2e.history import Exchange
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e


async def claimed_by(api: Api, execution_id: str, worker_id: str) -> Exchange:
    """Claim as soon as it can be claimed."""

    async def claim() -> Exchange | None:
        path = f"/v1/executions/{execution_id}/claim"
        answer = await api.post(path, {"worker_id": worker_id})
        return answer if answer.accepted else None

    return await eventually(claim, f"{worker_id} gets {execution_id}")


async def test_a_lost_lease_goes_to_another_worker(api: Api) -> None:
    cue = await api.worker_cue(retry={"max_attempts": 2})
    execution_id = await api.fire(cue["id"])
    first = ok(await claimed_by(api, execution_id, "silent"))
    assert (first["attempt"], first["lease_seconds"]) == (1, 2)
    second = ok(await claimed_by(api, execution_id, "next"))
    assert second["attempt"] == 2
    assert second["lease_expires_at"] > first["lease_expires_at"]
    path = f"/v1/executions/{execution_id}"
    beat = await api.post(f"{path}/heartbeat", X_Worker_Id="silent")
    refused(beat, 403, "not_execution_owner")
    late = await api.post(f"{path}/outcome", {"success": True, "worker_id": "silent"})
    refused(late, 403, "not_execution_owner")
    ok(await api.post(f"{path}/outcome", {"success": True, "worker_id": "next"}))
    assert await api.timeline(execution_id) == [
        "ExecutionScheduled",
        "ExecutionClaimed",
        "LeaseExpired",
        "ExecutionClaimed",
        "OutcomeReported",
    ]


async def test_an_execution_that_every_worker_loses_fails(api: Api) -> None:
    cue = await api.worker_cue(retry={"max_attempts": 1})
    execution_id = await api.fire(cue["id"])
    await claimed_by(api, execution_id, "silent")
    failed = await api.when(execution_id, status="failed")
    assert failed["attempts"] == 1
    assert "silent" in failed["error_message"]


async def test_a_worker_that_beats_keeps_its_claim(api: Api) -> None:
    cue = await api.worker_cue()
    execution_id = await api.fire(cue["id"])
    first = ok(await claimed_by(api, execution_id, "alive"))

    async def extended() -> bool | None:
        ok(await api.post("/v1/worker/heartbeat", {"worker_id": "alive"}))
        read = await api.execution(execution_id)
        assert read["claimed_by_worker"] == "alive"
        return read["lease_expires_at"] > first["lease_expires_at"] or None

    await eventually(extended, "the lease goes on")
    ok(await api.post(f"/v1/executions/{execution_id}/outcome", {"success": True}))
