"""A test delivery through the whole stack: one signed request, and nothing of it on record."""

import pytest

from tests.e2e.client import Api, ok
from tests.e2e.receiver import Answer

pytestmark = pytest.mark.e2e


async def test_a_callback_can_be_tried_before_it_is_due(api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(202, body={"success": True})
    cue = await api.webhook_cue(hook)
    told = ok(await api.post(f"/v1/cues/{cue['id']}/test"))
    [arrival] = hook.arrivals
    assert arrival.verified
    assert arrival.headers["X-CueAPI-Test"] == "true"
    assert (told["result"], told["response"]["status"]) == ("delivered", 202)
    assert (
        told["request"]["headers"]["X-CueAPI-Signature"] == (arrival.headers["X-CueAPI-Signature"])
    )
    assert told["request"]["headers"]["X-Canary"] == "***"
    assert told["request"]["body"].encode() == arrival.body
    assert ok(await api.get(f"/v1/executions?cue_id={cue['id']}"))["total"] == 0


async def test_a_receiver_that_says_nothing_delays_nobody_else(api: Api) -> None:
    silent, quick = api.hook(), api.hook()
    silent.answer = Answer(hangs=True)
    hanging = await api.webhook_cue(silent, delivery={"timeout_seconds": 1})
    told = ok(await api.post(f"/v1/cues/{hanging['id']}/test"))
    silent.let_go()
    assert (told["result"], told["error"], told["response"]) == ("failed", "timeout", None)
    cue = await api.webhook_cue(quick)
    await api.when(await api.fire(cue["id"]), status="success")
