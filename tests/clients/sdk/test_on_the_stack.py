"""The SDK against the whole stack: cues, receivers, a worker, the live stream."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from cueapi import (
    AsyncCueAPI,
    Context,
    CueAPI,
    CueNotFoundError,
    Delivery,
    DuplicateNameError,
    OutcomeAlreadyRecordedError,
    WebhookReceiver,
    Worker,
)
from cueapi.models import Execution
from fastapi import FastAPI
from flask import Flask
from werkzeug.serving import make_server

from services.api.server import bound_socket
from tests.e2e.waiting import LIMIT_SECONDS
from tests.e2e.world import World

pytestmark = pytest.mark.e2e

HOST = "127.0.0.1"
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def ended(client: CueAPI, execution_id: str) -> Execution:
    """The execution when its outcome is on record."""
    until = time.monotonic() + LIMIT_SECONDS
    while (execution := client.executions.get(execution_id)).outcome is None:
        assert time.monotonic() < until, f"no outcome: {execution}"
        threading.Event().wait(0.05)
    return execution


def test_a_cue_lives_as_its_owner_says(client: CueAPI) -> None:
    cue = client.cues.create(
        "briefing",
        cron="0 9 * * *",
        timezone="America/New_York",
        transport="worker",
        retry={"max_attempts": 5},
        payload={"task": "brief"},
    )
    assert (cue.status, cue.retry.max_attempts, cue.extra) == ("active", 5, {})
    assert cue.next_run is not None
    assert cue.next_run.utcoffset() is not None
    with pytest.raises(DuplicateNameError):
        client.cues.create("briefing", at=TOMORROW, transport="worker")
    moved = client.cues.update(cue.id, timezone="Asia/Tokyo", description="d")
    assert (moved.schedule.cron, moved.schedule.timezone) == ("0 9 * * *", "Asia/Tokyo")
    assert client.cues.update(cue.id, description=None).description is None
    assert client.cues.pause(cue.id).next_run is None
    assert client.cues.resume(cue.id).next_run is not None
    assert client.cues.explain(cue.id, TOMORROW).verdict
    for number in range(4):
        client.cues.create(str(number), at=TOMORROW, transport="worker")
    names = [each.name for each in client.cues.list(limit=2)]
    assert names == ["3", "2", "1", "0", "briefing"]
    assert client.cues.bulk_delete([each.id for each in client.cues.list()]).skipped == []
    with pytest.raises(CueNotFoundError):
        client.cues.get(cue.id)


def test_an_outcome_is_recorded_once(client: CueAPI) -> None:
    cue = client.cues.create("a", at=TOMORROW, transport="worker", payload={"task": "t"})
    fired = client.cues.fire(cue.id, payload_override={"n": 1})
    claim = client.executions.claim_next(worker_id="w", task="t", lease_seconds=30)
    assert (claim.execution_id, claim.payload) == (fired.id, {"task": "t", "n": 1})
    with client.executions.handle(claim.execution_id, claim.payload) as job:
        job.evidence = {"external_id": "run-1"}
    assert ended(client, fired.id)["outcome"]["external_id"] == "run-1"
    with pytest.raises(OutcomeAlreadyRecordedError):
        client.executions.report_outcome(fired.id, success=False)
    assert client.executions.timeline(fired.id).total >= 3
    assert [each.id for each in client.executions.list(has_evidence=True)] == [fired.id]
    replayed = client.executions.replay(fired.id)
    assert replayed.replayed_from == fired.id


@contextmanager
def fastapi_server(receiver: WebhookReceiver, handler: Callable[[Delivery], Any]) -> Iterator[str]:
    app = FastAPI()
    app.post("/hook")(receiver.fastapi(handler))
    listening = bound_socket(HOST, 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://{HOST}:{listening.getsockname()[1]}/hook"
    server.should_exit = True
    thread.join(LIMIT_SECONDS)


@contextmanager
def flask_server(receiver: WebhookReceiver, handler: Callable[[Delivery], Any]) -> Iterator[str]:
    app = Flask("receiver")
    app.post("/hook")(receiver.flask(handler))
    server = make_server(HOST, 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{HOST}:{server.server_port}/hook"
    server.shutdown()
    thread.join(LIMIT_SECONDS)
    server.server_close()


@pytest.mark.parametrize("serving", [fastapi_server, flask_server])
def test_a_receiver_answers_with_the_outcome(client: CueAPI, serving: Any) -> None:
    receiver = WebhookReceiver(client.webhook_secret.get().webhook_secret)

    def on_delivery(delivery: Delivery) -> dict[str, Any]:
        assert delivery.payload is not None
        return {"external_id": delivery.payload["run"], "rows": 5}

    with serving(receiver, on_delivery) as url:
        cue = client.cues.create("a", at=TOMORROW, callback=url, payload={"run": "grüße"})
        execution = ended(client, client.cues.fire(cue.id).id)
        tested = client.cues.test(cue.id)
    assert execution.outcome is not None
    assert (execution.status, execution.outcome_state) == ("success", "reported_success")
    assert (execution.outcome.external_id, execution.outcome.source) == ("grüße", "response")
    assert execution.outcome.metadata == {"rows": 5}
    (attempt,) = client.executions.attempts(execution.id).attempts
    assert attempt.http_status == 200
    assert tested.response is not None
    assert tested.response.status == 200


def test_a_worker_does_what_is_fired(client: CueAPI) -> None:
    worker = Worker(client=client, worker_id="w", concurrency=4, wait_seconds=2)

    @worker.handler("sync")
    def sync(payload: dict[str, Any]) -> dict[str, Any]:
        return {"external_id": f"sync-{payload['n']}"}

    @worker.handler("async")
    async def in_loop(ctx: Context) -> None:
        ctx.evidence(external_id=f"async-{ctx.payload['n']}", summary=ctx.execution.cue_name)

    thread = threading.Thread(target=worker.start)
    thread.start()
    try:
        for task in ("sync", "async"):
            cue = client.cues.create(task, at=TOMORROW, transport="worker", payload={"task": task})
            fired = [client.cues.fire(cue.id, payload_override={"n": n}).id for n in range(10)]
            for n, execution_id in enumerate(fired):
                execution = ended(client, execution_id)
                assert execution.outcome is not None
                assert (execution.status, execution.claimed_by_worker) == ("success", "w")
                assert execution.outcome.external_id == f"{task}-{n}"
        (known,) = client.workers.list().workers
        assert (known.worker_id, known.handlers) == ("w", ["sync", "async"])
    finally:
        worker.stop()
        thread.join(LIMIT_SECONDS)
    assert not thread.is_alive()


async def test_the_live_stream_tells_what_happens_and_goes_on_where_it_was(
    stack: World, client: CueAPI
) -> None:
    assert client.settings.api_key is not None
    async with AsyncCueAPI(client.settings.api_key, base_url=stack.stack.base_url) as api:
        cue = await api.cues.create("a", at=TOMORROW, transport="worker")
        stream = aiter(api.events.stream(cue_id=cue.id))
        first = asyncio.ensure_future(anext(stream))
        while not first.done():
            await api.cues.fire(cue.id)
            await asyncio.wait({first}, timeout=0.2)
        seen = await first
        assert (seen.cue_id, bool(seen.execution_id)) == (cue.id, True)
        fired = await api.cues.fire(cue.id)
        async for event in api.events.stream(last_event_id=seen.position):
            assert event.position != seen.position
            if event.execution_id == fired.id:
                break
