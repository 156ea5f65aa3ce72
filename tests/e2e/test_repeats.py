"""The same command sent twice has one result (contract §1, Idempotency)."""

import asyncio
from uuid import uuid4

import pytest

from tests.e2e.client import Api, ok, refused, tomorrow

pytestmark = pytest.mark.e2e


async def test_a_fire_with_a_key_happens_once(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    path, body = f"/v1/cues/{cue['id']}/fire", {"idempotency_key": "order-7"}
    first = ok(await api.post(path, body))
    again = ok(await api.post(path, body))
    assert again == first
    other = {**body, "payload_override": {"n": 2}}
    refused(await api.post(path, other), 409, "idempotency_key_conflict")
    await api.when(first["id"], status="success")
    assert len(hook.arrivals) == 1


async def test_twenty_fires_with_one_key_at_once_make_one_execution(api: Api) -> None:
    cue = await api.webhook_cue(api.hook())
    path, key = f"/v1/cues/{cue['id']}/fire", str(uuid4())
    answers = await asyncio.gather(*(api.post(path, Idempotency_Key=key) for _ in range(20)))
    assert {ok(answer)["execution_id"] for answer in answers} == {answers[0].body["execution_id"]}
    replayed = [answer for answer in answers if answer.headers.get("idempotent-replayed")]
    assert len(replayed) == 19
    assert (await api.cue(cue["id"]))["execution_total"] == 1


async def test_a_cue_with_a_key_is_created_once(api: Api) -> None:
    key, schedule = str(uuid4()), tomorrow()
    body = {"name": "once", "schedule": schedule, "transport": "worker"}
    first = ok(await api.post("/v1/cues", body, Idempotency_Key=key), 201)
    again = await api.post("/v1/cues", body, Idempotency_Key=key)
    assert ok(again, 201)["id"] == first["id"]
    assert again.headers["idempotent-replayed"] == "true"
    conflict = await api.post("/v1/cues", {**body, "name": "twice"}, Idempotency_Key=key)
    refused(conflict, 409, "idempotency_key_conflict")
    without = await api.post("/v1/cues", body)
    refused(without, 409, "duplicate_cue_name")


async def test_a_refusal_is_not_kept(api: Api) -> None:
    cue = await api.worker_cue()
    claim = {"worker_id": "w1"}
    refused(await api.post("/v1/executions/claim", claim, Idempotency_Key="k"), 409, "claim_failed")
    execution_id = await api.fire(cue["id"])
    claimed = ok(await api.post("/v1/executions/claim", claim, Idempotency_Key="k"))
    assert claimed["execution_id"] == execution_id
