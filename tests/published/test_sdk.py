"""Each call of the published `cueapi-sdk` (clients.md §1)."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.client import Api, JsonObject, in_seconds
from tests.e2e.receiver import Answer
from tests.published.programs import Python

pytestmark = pytest.mark.e2e

LATER = "2040-01-01T00:00:00Z"


async def claimed(api: Api, **payload: Any) -> str:
    """Make an execution that a worker holds, and give its id."""
    cue = await api.worker_cue(payload={"task": "sdk", **payload})
    execution_id = await api.fire(cue["id"])
    path = f"/v1/executions/{execution_id}/claim"
    assert (await api.post(path, {"worker_id": "sdk"})).status == 200
    return execution_id


async def test_create_sends_all_that_it_is_given(sdk: Python, api: Api) -> None:
    hook = api.hook()
    told = await sdk(
        """
cue = client.cues.create(
    "whole", cron="0 9 * * *", timezone="Europe/Berlin", callback=given["url"],
    callback_method="PUT", callback_headers={"X-Own": "1"}, transport="webhook",
    payload=cueapi.CuePayload().task("t").kind("k").instruction("i").context_ref("r")
    .context_mode("live").agent("a").extra("own", 1).build(),
    description="each morning", retry={"max_attempts": 2, "backoff_minutes": [1, 2]},
    on_failure={"email": False, "webhook": None, "pause": True},
)
told = {"cue": cue.model_dump(), "cron": cue.schedule.cron}
""",
        url=hook.url,
    )
    cue = await api.cue(told["cue"]["id"])
    assert (told["cron"], cue["schedule"]["timezone"]) == ("0 9 * * *", "Europe/Berlin")
    assert (cue["callback"]["method"], cue["description"]) == ("PUT", "each morning")
    assert cue["payload"]["task"] == "t"
    assert cue["payload"]["own"] == 1
    assert cue["retry"]["backoff_minutes"] == [1, 2]
    assert cue["on_failure"]["pause"] is True
    assert told["cue"]["run_count"] == 0


async def test_cues_are_read_changed_and_deleted(sdk: Python, api: Api) -> None:
    told = await sdk(
        """
cues = client.cues
with client:
    cue = cues.create("one", cron="0 9 * * *", timezone="Asia/Tokyo", transport="worker")
    other = cues.create("two", at=given["later"], transport="worker")
    listed = cues.list(limit=1, offset=1, status="active")
    updated = cues.update(cue.id, name="renamed", description="d", cron="0 8 * * *",
                          timezone="Asia/Tokyo", payload={"a": 1},
                          retry={"max_attempts": 1, "backoff_minutes": [3]},
                          on_failure={"email": False, "webhook": None, "pause": True})
    told = {
        "got": cues.get(other.id).name,
        "transport": other.transport,
        "listed": [listed.total, listed.limit, listed.offset, [each.name for each in listed.cues]],
        "updated": [updated.name, updated.schedule.cron, updated.schedule.timezone],
        "paused": cues.pause(cue.id).status,
        "by_update": cues.update(cue.id, status="active").status,
        "resumed": [cues.pause(cue.id).status, cues.resume(cue.id).status][1],
        "moved": cues.update(other.id, at=given["earlier"]).schedule.at,
        "deleted": cues.delete(cue.id),
        "after": refusal(cues.get, cue.id)[:3],
    }
""",
        later=LATER,
        earlier="2039-01-01T00:00:00Z",
    )
    assert told.pop("moved").startswith("2039-01-01")
    assert told == {
        "got": "two",
        "transport": "worker",
        "listed": [2, 1, 1, ["one"]],
        "updated": ["renamed", "0 8 * * *", "Asia/Tokyo"],
        "paused": "paused",
        "by_update": "active",
        "resumed": "active",
        "deleted": None,
        "after": ["CueNotFoundError", 404, "cue_not_found"],
    }


async def test_executions_are_listed_and_read(sdk: Python, api: Api) -> None:
    execution_id = await claimed(api)
    cue_id = (await api.execution(execution_id))["cue_id"]
    told = await sdk(
        """
executions = client.executions
told = [
    executions.list(cue_id=given["cue"], status="delivering", triggered_by="manual_fire",
                    limit=5, offset=0),
    executions.list(outcome_state="reported_success"),
    executions.get(given["id"]),
]
""",
        cue=cue_id,
        id=execution_id,
    )
    found, none, got = told
    assert [(each["id"], found["total"]) for each in found["executions"]] == [(execution_id, 1)]
    assert none["executions"] == []
    assert got["id"] == execution_id


async def test_an_outcome_with_all_its_evidence(sdk: Python, api: Api) -> None:
    execution_id = await claimed(api)
    told = await sdk(
        """
executions = client.executions
told = [
    executions.heartbeat(given["id"])["acknowledged"],
    executions.report_outcome(
        given["id"], success=True, result="done", metadata={"m": 1}, external_id="e-1",
        result_url="https://example.com/r", result_type="note", summary="fine",
        artifacts=[{"name": "a"}],
    )["outcome_recorded"],
    executions.mark_verification_pending(given["id"])["outcome_state"],
    executions.mark_verified(given["id"])["outcome_state"],
    refusal(executions.report_outcome, given["id"], success=False)[:3],
]
""",
        id=execution_id,
    )
    assert told[:4] == [True, True, "verification_pending", "verified_success"]
    assert told[4][:2] == ["CueAPIError", 409]
    outcome = (await api.execution(execution_id))["outcome"]
    assert (outcome["result"], outcome["external_id"], outcome["summary"]) == (
        *("done", "e-1"),
        "fine",
    )
    assert (outcome["result_type"], outcome["artifacts"]) == ("note", [{"name": "a"}])


async def test_mark_verified_verifies_what_it_is_told_is_invalid(sdk: Python, api: Api) -> None:
    execution_id = await claimed(api)
    # A fault of its own: `valid` and `reason` are not sent (clients.md §6).
    told = await sdk(
        """
client.executions.report_outcome(given["id"], success=True)
told = client.executions.mark_verified(given["id"], valid=False, reason="no")
""",
        id=execution_id,
    )
    assert told["outcome_state"] == "verified_success"


async def test_handle_reports_how_its_block_ends(sdk: Python, api: Api) -> None:
    clean, raised = await claimed(api), await claimed(api)
    told = await sdk(
        """
with client.executions.handle(given["clean"], {"a": 1}) as context:
    seen = context.payload
    context.result = "r" * 3_000
    context.evidence = {"external_id": "e-1"}
try:
    with client.executions.handle(given["raised"], {}):
        raise RuntimeError("broken")
except RuntimeError as error:
    told = [seen, str(error)]
""",
        clean=clean,
        raised=raised,
    )
    assert told == [{"a": 1}, "broken"]
    outcome = (await api.execution(clean))["outcome"]
    assert (outcome["success"], outcome["external_id"]) == (True, "e-1")
    assert outcome["result"] == "r" * 2_000
    failed = (await api.execution(raised))["outcome"]
    assert failed["success"] is False
    assert "broken" in failed["error"]


async def test_each_status_is_an_exception_of_its_own(sdk: Python, api: Api) -> None:
    told = await sdk(
        """
stranger = cueapi.CueAPI("cue_sk_" + "0" * 32, base_url=given["url"])
told = [
    refusal(stranger.cues.list),
    refusal(client.cues.get, "cue_none"),
    refusal(client.executions.get, "none"),
    refusal(client.cues.create, "bad", cron="no", transport="worker"),
    refusal(client.cues.list, limit=1_000),
    refusal(client.executions.report_outcome, "none", success=True, result="x" * 3_000_000),
]
try:
    client.cues.create("neither", callback="http://127.0.0.1")
except ValueError:
    told.append("ValueError")
try:
    cueapi.CueAPI("")
except ValueError:
    told.append("ValueError")
""",
        url=sdk.base_url,
    )
    assert [each[:3] for each in told[:5]] == [
        ["AuthenticationError", 401, "invalid_api_key"],
        ["CueNotFoundError", 404, "cue_not_found"],
        ["CueNotFoundError", 404, "execution_not_found"],
        ["InvalidScheduleError", 400, "invalid_schedule"],
        ["InvalidScheduleError", 422, "validation_error"],
    ]
    assert all(each[3] for each in told[:6]), "each has the server's message"
    assert told[5][:2] == ["CueAPIError", 413]
    assert told[6:] == ["ValueError", "ValueError"]


async def test_a_delivery_verifies(sdk: Python, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    payload: JsonObject = {"z": "ü", "a": [1, 2.5, None, True], "n": {"y": "\u2028", "b": {}}}
    await api.webhook_cue(
        hook, name=str(uuid4()), payload=payload, schedule={"type": "once", "at": in_seconds(1)}
    )
    arrival = await hook.arrival()
    body = arrival.body.decode()
    told = await sdk(
        """
verify = lambda body, **changed: cueapi.verify_webhook(
    **{"payload": body, "signature": given["signature"], "secret": given["secret"],
       "timestamp": given["timestamp"], **changed})
told = [
    verify(given["body"]), verify(given["body"].encode()), verify(json.loads(given["body"])),
    verify(given["body"], secret="other"), verify(given["body"], timestamp="1"),
    verify(given["body"], timestamp="none"), verify({**json.loads(given["body"]), "more": 1}),
]
""",
        body=body,
        secret=api.webhook_secret,
        signature=arrival.headers["X-CueAPI-Signature"],
        timestamp=arrival.headers["X-CueAPI-Timestamp"],
    )
    assert told == [True, True, True, False, False, False, False]
    assert json.loads(body)["payload"] == payload
