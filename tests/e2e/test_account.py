"""Accounts, health, and that nobody sees what is another's (contract §2 nr 17, 18, 26, §12)."""

import pytest

from tests.e2e.client import Api, ok, refused
from tests.e2e.waiting import eventually
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


async def test_an_account_counts_its_cues_and_executions(api: Api) -> None:
    cue = await api.webhook_cue(api.hook())
    await api.worker_cue()
    await api.fire(cue["id"])
    me = ok(await api.get("/v1/auth/me"))
    assert (me["email"], me["has_webhook_secret"]) == (api.email, True)
    assert (me["active_cues"], me["executions_this_month"]) == (2, 1)
    assert api.key is not None
    assert api.key.startswith(me["api_key_prefix"])


async def test_an_address_has_one_account(api: Api) -> None:
    again = await api.post("/v1/auth/register", {"email": api.email.upper()})
    refused(again, 409, "duplicate_email")


async def test_what_is_anothers_does_not_exist(api: Api, world: World) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    worker_cue = await api.worker_cue()
    execution_id, claimable = await api.fire(cue["id"]), await api.fire(worker_cue["id"])
    await api.when(execution_id, status="success")
    other = await world.account()
    assert ok(await other.get("/v1/cues"))["total"] == 0
    assert ok(await other.get("/v1/executions"))["total"] == 0
    assert ok(await other.get("/v1/executions/claimable"))["executions"] == []
    refused(await other.post("/v1/executions/claim", {"worker_id": "w"}), 409, "claim_failed")
    cues, executions = f"/v1/cues/{cue['id']}", f"/v1/executions/{execution_id}"
    for exchange in [
        await other.get(cues),
        await other.call("PATCH", cues, {"description": "mine"}),
        await other.call("DELETE", cues),
        await other.post(f"{cues}/fire"),
    ]:
        refused(exchange, 404, "cue_not_found")
    for exchange in [
        await other.get(executions),
        await other.get(f"{executions}/timeline"),
        await other.post(f"{executions}/outcome", {"success": True}),
        await other.post(f"{executions}/heartbeat"),
        await other.post(f"/v1/executions/{claimable}/claim", {"worker_id": "w"}),
    ]:
        refused(exchange, 404, "execution_not_found")
    assert (await api.execution(execution_id))["outcome"] is None


async def test_health_tells_that_all_is_well(world: World) -> None:
    anybody = world.client()

    async def healthy() -> bool | None:
        body = ok(await anybody.get("/health"))
        return body["status"] == "healthy" or None

    await eventually(healthy, "healthy")
    body = ok(await anybody.get("/health"))
    assert (body["services"]["postgres"], body["services"]["broker"]) == ("ok", "ok")
    assert body["services"]["poller"] == "ok"
    assert body["poller"]["seconds_ago"] < 30
    assert set(body["queue"]) == {
        "pending_outbox",
        "stale_executions",
        "pending_retries",
        "pending_worker_claims",
    }
    assert ok(await anybody.get("/status")) == {"status": "healthy"}
