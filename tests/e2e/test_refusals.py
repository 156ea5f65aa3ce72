"""Bad input gets the error that the contract names, through all processes (contract §1, §2)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.client import Api, in_seconds, ok, refused
from tests.e2e.world import World

pytestmark = pytest.mark.e2e

NOWHERE = "http://127.0.0.1:9/nowhere"


def cue(**fields: Any) -> dict[str, Any]:
    schedule = {"type": "recurring", "cron": "0 9 * * *"}
    return {"name": "n", "schedule": schedule, "callback": {"url": NOWHERE}, **fields}


REFUSED_CUES: list[tuple[dict[str, Any], int, str]] = [
    ({"name": "  "}, 422, "validation_error"),
    ({"unknown": 1}, 422, "validation_error"),
    ({"callback": None}, 422, "validation_error"),
    ({"callback": {"url": NOWHERE, "headers": {"Host": "x"}}}, 422, "validation_error"),
    ({"callback": {"url": "http://169.254.169.254/"}}, 400, "invalid_callback_url"),
    ({"callback": {"url": "ftp://example.com/"}}, 400, "invalid_callback_url"),
    ({"schedule": {"type": "recurring", "cron": "61 * * * *"}}, 400, "invalid_schedule"),
    ({"schedule": {"type": "recurring", "cron": "0 0 30 2 *"}}, 400, "invalid_schedule"),
    ({"schedule": {"type": "recurring", "cron": "* * * * * *"}}, 400, "invalid_schedule"),
    ({"schedule": {"type": "once", "at": in_seconds(-1)}}, 400, "invalid_schedule"),
    ({"schedule": {"type": "once", "at": "yesterday"}}, 422, "validation_error"),
    ({"schedule": {"type": "weekly"}}, 400, "invalid_schedule"),
    (
        {"schedule": {"type": "recurring", "cron": "* * * * *", "timezone": "Mars/Phobos"}},
        422,
        "invalid_timezone",
    ),
    ({"retry": {"max_attempts": 11}}, 422, "validation_error"),
    ({"retry": {"max_attempts": "3"}}, 422, "validation_error"),
    ({"payload": {"text": "x" * 1_048_577}}, 400, "invalid_payload_size"),
    ({"payload": {"text": "a\0b"}}, 400, "invalid_payload"),
]


async def test_a_bad_cue_is_refused(api: Api) -> None:
    for fields, status, code in REFUSED_CUES:
        refused(await api.post("/v1/cues", cue(**fields)), status, code)
    assert ok(await api.get("/v1/cues"))["total"] == 0


async def test_all_faults_of_shape_are_told_together(api: Api) -> None:
    body = {"name": "", "schedule": {"type": "recurring", "cron": 5}, "retry": {"max_attempts": 0}}
    error = refused(await api.post("/v1/cues", body), 422, "validation_error")
    told = {detail["field"] for detail in error["details"]}
    assert told >= {"body.name", "body.schedule.cron", "body.retry.max_attempts"}


async def test_a_second_cue_of_the_same_name_is_refused(api: Api) -> None:
    ok(await api.post("/v1/cues", cue()), 201)
    refused(await api.post("/v1/cues", cue()), 409, "duplicate_cue_name")


async def test_what_is_not_json_is_refused(api: Api) -> None:
    for content in [b"{", b"[NaN]", b'{"name": 1e999}', b"[" * 200]:
        refused(await api.call("POST", "/v1/cues", content=content), 400, "invalid_json")
    refused(await api.post("/v1/cues", [1]), 422, "validation_error")


async def test_who_does_not_say_who_it_is_stays_out(world: World) -> None:
    for key in [None, "cue_sk_" + "0" * 32, "nonsense"]:
        refused(await world.client(key).get("/v1/cues"), 401, "invalid_api_key")
    refused(await world.client("a.b.c").get("/v1/cues"), 401, "invalid_session")


async def test_what_does_not_exist_is_not_found(api: Api) -> None:
    for cue_id in ["cue_aaaaaaaaaaaa", "nonsense", str(uuid4())]:
        refused(await api.post(f"/v1/cues/{cue_id}/fire"), 404, "cue_not_found")
    for execution_id in [str(uuid4()), "nonsense"]:
        path = f"/v1/executions/{execution_id}"
        refused(await api.get(path), 404, "execution_not_found")
        report = await api.post(f"{path}/outcome", {"success": True})
        refused(report, 404, "execution_not_found")
        claim = await api.post(f"{path}/claim", {"worker_id": "w"})
        refused(claim, 404, "execution_not_found")
    refused(await api.get("/v1/nonsense"), 404, "not_found")
    refused(await api.call("PUT", "/v1/cues"), 405, "method_not_allowed")


async def test_an_outcome_must_say_true_or_false(api: Api) -> None:
    created = await api.worker_cue()
    path = f"/v1/executions/{await api.fire(created['id'])}/outcome"
    for body in [{}, {"success": "true"}, {"success": 1}, {"status": "success"}, {"success": None}]:
        refused(await api.post(path, body), 422, "validation_error")


async def test_a_webhooks_execution_cannot_be_claimed_or_kept(api: Api) -> None:
    hook = api.hook()
    created = await api.webhook_cue(hook)
    execution_id = await api.fire(created["id"])
    path = f"/v1/executions/{execution_id}"
    refused(await api.post(f"{path}/claim", {"worker_id": "w"}), 409, "claim_failed")
    refused(await api.post(f"{path}/heartbeat"), 409, "execution_not_claiming")
    refused(await api.post(f"{path}/claim", {}), 422, "validation_error")
    await api.when(execution_id, status="success")
