"""Webhooks as their receivers see them (contract §6)."""

import base64
import hashlib
import hmac
import json
import re

import pytest

from tests.e2e.client import Api, in_seconds, ok, refused, soon
from tests.e2e.receiver import Answer

pytestmark = pytest.mark.e2e


async def test_a_fire_is_delivered_with_the_promised_bytes(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook, payload={"task": "grüße", "n": [1, {"b": 2.5, "a": None}]})
    fired = ok(await api.post(f"/v1/cues/{cue['id']}/fire"))
    arrival = await hook.arrival()
    body = {
        "attempt": 1,
        "cue_id": cue["id"],
        "execution_id": fired["execution_id"],
        "name": cue["name"],
        "payload": {"task": "grüße", "n": [1, {"b": 2.5, "a": None}]},
        "scheduled_for": fired["scheduled_for"],
    }
    assert arrival.method == "POST"
    assert arrival.body == json.dumps(body, sort_keys=True).encode()
    sent = arrival.headers
    assert sent["Content-Type"] == "application/json"
    assert sent["User-Agent"] == "CueAPI/1.0"
    assert sent["X-CueAPI-Cue-Id"] == cue["id"]
    assert sent["X-CueAPI-Execution-Id"] == fired["execution_id"]
    assert sent["X-CueAPI-Scheduled-For"] == fired["scheduled_for"]
    assert sent["X-CueAPI-Attempt"] == "1"
    assert sent["X-Canary"] == hook.canary
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", sent["traceparent"])


async def test_both_signatures_verify(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    execution_id = await api.fire(cue["id"])
    arrival = await hook.arrival()
    sent, secret = arrival.headers, api.webhook_secret
    signed = sent["X-CueAPI-Timestamp"].encode() + b"." + arrival.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert sent["X-CueAPI-Signature"] == f"v1={expected}"
    assert sent["webhook-id"] == execution_id
    assert sent["webhook-timestamp"] == sent["X-CueAPI-Timestamp"]
    key = bytes.fromhex(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{execution_id}.".encode() + signed, hashlib.sha256).digest()
    assert sent["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


async def test_an_outcome_in_the_answer_is_put_on_record(api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True, "result": "3 users told", "external_id": "msg-7"})
    cue = await api.webhook_cue(hook)
    execution_id = await api.fire(cue["id"])
    done = await api.when(execution_id, outcome_state="reported_success")
    assert (done["status"], done["attempts"], done["http_status"]) == ("success", 1, 200)
    assert done["outcome_success"] is True
    assert done["outcome_deadline_at"] is None
    assert done["outcome"]["source"] == "response"
    assert done["outcome"]["result"] == "3 users told"
    assert done["outcome"]["external_id"] == "msg-7"
    assert json.loads(done["response_body"]) == hook.answer.body
    assert await api.timeline(execution_id) == [
        "ExecutionScheduled",
        "AttemptStarted",
        "AttemptSucceeded",
        "OutcomeReported",
    ]
    counted = await api.cue(cue["id"])
    assert (counted["fired_count"], counted["run_count"]) == (1, 1)
    assert counted["last_run"] is not None


async def test_an_outcome_by_api_follows_a_plain_acknowledgement(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    execution_id = await api.fire(cue["id"])
    done = await api.when(execution_id, status="success")
    assert (done["outcome_state"], done["outcome_success"]) == (None, None)
    assert done["outcome_deadline_at"] is not None
    path = f"/v1/executions/{execution_id}/outcome"
    reported = ok(await api.post(path, {"success": False, "error": "no paper"}))
    assert reported == {
        "execution_id": execution_id,
        "outcome_recorded": True,
        "outcome_state": "reported_failure",
        "outcome_success": False,
        "status": "success",
        "reason": None,
    }
    refused(await api.post(path, {"success": True}), 409, "outcome_already_recorded")
    done = await api.execution(execution_id)
    assert done["outcome"]["error"] == "no paper"
    assert done["outcome"]["source"] == "api"
    assert done["outcome_deadline_at"] is None


async def test_the_payload_can_be_changed_for_one_fire(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook, payload={"task": "a", "kept": 1})
    path = f"/v1/cues/{cue['id']}/fire"
    merged = ok(await api.post(path, {"payload_override": {"task": "b"}}))
    replaced = {"payload_override": {"task": "c"}, "merge_strategy": "replace"}
    ok(await api.post(path, replaced))
    assert merged["payload"] == {"task": "b", "kept": 1}
    await hook.arrival(2)
    payloads = [arrival.document["payload"] for arrival in hook.arrivals]
    assert sorted(payloads, key=str) == [{"task": "b", "kept": 1}, {"task": "c"}]
    assert (await api.cue(cue["id"]))["payload"] == {"task": "a", "kept": 1}


async def test_a_fire_can_be_sent_later(api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    fired = ok(await api.post(f"/v1/cues/{cue['id']}/fire", {"send_at": in_seconds(1.5)}))
    assert (await api.execution(fired["id"]))["status"] == "pending"
    arrival = await hook.arrival()
    assert arrival.headers["X-CueAPI-Scheduled-For"] == fired["scheduled_for"]
    await api.when(fired["id"], status="success")


async def test_a_once_cue_fires_at_its_time_and_is_completed(api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    cue = await api.webhook_cue(hook, schedule=soon())
    done = await api.only_execution(cue["id"], outcome_state="reported_success")
    assert done["triggered_by"] == "scheduled"
    assert done["scheduled_for"] == cue["next_run"]

    settled = await api.cue_when(cue["id"], status="completed")
    assert settled["next_run"] is None
    assert settled["fired_count"] == 1
    assert len(hook.arrivals) == 1
