"""Failed attempts are tried again, each retry a row that comes due (contract §6)."""

import pytest

from tests.e2e.client import Api, soon
from tests.e2e.receiver import Answer
from tests.e2e.world import World

pytestmark = pytest.mark.e2e

AT_ONCE = {"max_attempts": 3, "backoff_minutes": [0]}


async def test_an_attempt_that_fails_is_made_again_until_it_is_taken(api: Api) -> None:
    hook = api.hook()
    hook.script.extend([Answer(500), Answer(302, headers={"Location": "/elsewhere"})])
    cue = await api.webhook_cue(hook, retry=AT_ONCE)
    execution_id = await api.fire(cue["id"])
    done = await api.when(execution_id, status="success")
    assert (done["attempts"], done["error_message"], done["next_retry"]) == (3, None, None)
    assert [arrival.attempt for arrival in hook.arrivals] == [1, 2, 3]
    assert {arrival.execution_id for arrival in hook.arrivals} == {execution_id}
    signatures = {arrival.headers["X-CueAPI-Signature"] for arrival in hook.arrivals}
    assert len(signatures) == 3
    assert await api.timeline(execution_id) == [
        "ExecutionScheduled",
        *("AttemptStarted", "AttemptFailed"),
        *("AttemptStarted", "AttemptFailed"),
        *("AttemptStarted", "AttemptSucceeded"),
    ]


async def test_an_execution_fails_when_no_attempt_is_left(api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(404)
    cue = await api.webhook_cue(hook, retry=AT_ONCE, schedule=soon())
    done = await api.only_execution(cue["id"], status="failed")
    assert (done["attempts"], done["http_status"]) == (3, 404)
    assert "(404)" in done["error_message"]
    assert done["outcome_state"] is None
    await api.cue_when(cue["id"], status="failed")
    assert len(hook.arrivals) == 3


async def test_the_next_attempt_waits_as_long_as_the_receiver_asks(api: Api, world: World) -> None:
    hook = api.hook()
    hook.answer = Answer(503, headers={"Retry-After": "1800"})
    cue = await api.webhook_cue(hook, retry=AT_ONCE)
    execution_id = await api.fire(cue["id"])
    waiting = await api.when(execution_id, status="retrying")
    assert waiting["attempts"] == 1
    [row] = await world.rows(
        "select extract(epoch from delivery_due_at - now())::int as seconds from executions"
        " where id = %s",
        execution_id,
    )
    assert 1_700 < row["seconds"] <= 1_800


async def test_a_receiver_that_says_nothing_is_given_up_after_the_timeout(api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(hangs=True)
    once = {"max_attempts": 1, "backoff_minutes": [0]}
    cue = await api.webhook_cue(hook, retry=once, delivery={"timeout_seconds": 1})
    done = await api.when(await api.fire(cue["id"]), status="failed")
    assert done["http_status"] is None
    assert "timed out" in done["error_message"]
    hook.let_go()


async def test_three_failures_in_a_row_raise_one_alert(api: Api, world: World) -> None:
    hook = api.hook()
    hook.answer = Answer(500)
    once = {"max_attempts": 1, "backoff_minutes": [0]}
    cue = await api.webhook_cue(hook, retry=once, alerts={"consecutive_failures": 3})
    for _ in range(4):
        await api.when(await api.fire(cue["id"]), status="failed")
    assert await world.alerts(cue["id"]) == ["consecutive_failure"]
