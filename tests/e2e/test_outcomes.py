"""Outcomes: the first one stands, evidence is checked, silence is told (contract §8, §9)."""

import asyncio
from collections import Counter

import pytest

from tests.e2e.client import Api, ok, refused
from tests.e2e.receiver import Answer
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


async def test_silence_past_the_deadline_is_an_alert(api: Api, world: World) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook, delivery={"outcome_deadline_seconds": 1})
    execution_id = await api.fire(cue["id"])
    silent = await api.when(execution_id, status="outcome_timeout")
    assert (silent["outcome_state"], silent["outcome_success"]) == ("unknown", False)
    assert silent["outcome"] is None
    assert await world.alerts(cue["id"]) == ["outcome_timeout"]

    late = await api.post(f"/v1/executions/{execution_id}/outcome", {"success": True})
    assert ok(late)["outcome_state"] == "reported_success"
    assert (await api.execution(execution_id))["status"] == "success"


async def test_of_fifty_reports_at_once_one_is_recorded(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    execution_id = await api.fire(cue["id"])
    await api.when(execution_id, status="success")
    path = f"/v1/executions/{execution_id}/outcome"
    bodies = [{"success": n % 2 == 0, "result": f"report {n}"} for n in range(50)]
    answers = await asyncio.gather(*(api.post(path, body) for body in bodies))
    assert Counter(answer.status for answer in answers) == {200: 1, 409: 49}
    for answer in answers:
        if answer.status == 409:
            refused(answer, 409, "outcome_already_recorded")
    [winner] = [body for body, answer in zip(bodies, answers, strict=True) if answer.accepted]
    recorded = (await api.execution(execution_id))["outcome"]
    assert (recorded["success"], recorded["result"]) == (winner["success"], winner["result"])


async def test_reports_race_with_the_outcome_in_the_answer(api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True, "result": "from the answer"}, hangs=True)
    cue = await api.webhook_cue(hook)
    execution_id = await api.fire(cue["id"])
    await hook.arrival()
    path = f"/v1/executions/{execution_id}/outcome"
    reports = asyncio.gather(*(api.post(path, {"success": True}) for _ in range(20)))
    hook.let_go()
    accepted = [answer for answer in await reports if answer.accepted]
    done = await api.when(execution_id, outcome_state="reported_success", http_status=200)
    assert len(accepted) == (done["outcome"]["source"] == "api")


async def test_a_success_without_the_evidence_asked_for_is_not_believed(
    api: Api, world: World
) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    cue = await api.webhook_cue(hook, verification={"mode": "require_external_id"})
    execution_id = await api.fire(cue["id"])
    doubted = await api.when(execution_id, outcome_state="verification_failed")
    assert doubted["outcome"]["validation_state"] == "invalid"
    assert await world.alerts(cue["id"]) == ["verification_failed"]
    evidence = {"external_id": "msg-7"}
    path = f"/v1/executions/{execution_id}/evidence"
    added = ok(await api.call("PATCH", path, evidence))
    assert added["outcome_state"] == "verified_success"
    believed = await api.execution(execution_id)
    assert believed["outcome"]["external_id"] == "msg-7"
    assert believed["outcome"]["validation_state"] == "valid"
