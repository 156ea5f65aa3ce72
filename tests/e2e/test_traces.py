"""One execution is one story: from the request that fired it to its outcome, in one trace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from tests.e2e.client import Api, ok, soon
from tests.e2e.collector import Collected, Collector
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.e2e.world import World, running
from tests.faults.faults import wipe

pytestmark = pytest.mark.e2e

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


class Story:
    """The spans of one trace. Who called is above them as `caller`."""

    def __init__(self, spans: Sequence[Collected]) -> None:
        self.spans = {span.label: span for span in spans}
        self._by_id = {span.span_id: span for span in spans}

    def is_whole(self, last: Sequence[str]) -> bool:
        """Whether these have been collected, and no span is missing above another."""
        parents = {span.parent for span in self._by_id.values() if span.parent}
        return set(last) <= self.spans.keys() and parents <= {*self._by_id, CALLER}

    def above(self, label: str) -> list[str]:
        """The labels of the spans above one, nearest first."""
        path: list[str] = []
        span: Collected | None = self.spans[label]
        while span is not None and span.parent:
            above = self._by_id.get(span.parent)
            path.append("caller" if above is None else above.label)
            span = above
        return path


@dataclass
class Traced:
    """A stack whose spans are collected."""

    world: World
    collector: Collector

    async def story(self, trace_id: str, *last: str) -> Story:
        """Wait until a trace has these spans and all that are above them, and give it."""

        async def told() -> Story | None:
            story = Story(self.collector.trace(trace_id))
            return story if story.is_whole(last) else None

        return await eventually(told, f"{last} in trace {trace_id}")


@pytest.fixture(scope="module")
async def traced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    async with Collector() as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        async with running(tmp_path_factory.mktemp("traced"), env=env) as world:
            yield Traced(world, collector)
            await world.check()


@pytest.fixture
async def api(traced: Traced) -> Api:
    return await traced.world.account()


async def test_a_fire_is_told_from_the_callers_span_to_the_outcome(
    traced: Traced, api: Api
) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    cue = await api.webhook_cue(hook)
    fired = ok(
        await api.post(f"/v1/cues/{cue['id']}/fire", {}, traceparent=f"00-{TRACE}-{CALLER}-01")
    )
    arrival = await hook.arrival()
    await api.when(fired["execution_id"], outcome_state="reported_success")
    told = "dispatcher: process events.execution.ExecutionScheduled"
    of_attempt = ("dispatcher: POST", "dispatcher: append AttemptStarted")
    story = await traced.story(TRACE, told, *of_attempt, "outcomes: append OutcomeReported")

    decided = [
        "scheduler: process commands.scheduler.fire_cue",
        "api: send commands.scheduler.fire_cue",
        "api: POST /v1/cues/{cue_id}/fire",
        "caller",
    ]
    assert story.above("scheduler: append ExecutionScheduled") == decided
    for span in of_attempt:
        assert story.above(span) == decided
    assert story.above("outcomes: append OutcomeReported")[-len(decided) :] == decided
    sent = "scheduler: send events.execution.ExecutionScheduled"
    assert story.above(told) == [sent, *decided]

    attempt = story.spans["dispatcher: POST"]
    assert arrival.headers["traceparent"] == f"00-{TRACE}-{attempt.span_id}-01"
    assert attempt.kind == "CLIENT"
    assert attempt.attributes["http.response.status_code"] == 200
    assert attempt.attributes["cueapi.execution.id"] == fired["execution_id"]
    request = story.spans["api: POST /v1/cues/{cue_id}/fire"]
    assert request.kind == "SERVER"
    assert request.attributes["http.response.status_code"] == 200
    assert (await api.execution(fired["execution_id"]))["trace_id"] == TRACE


async def test_a_slot_begins_a_trace_with_every_attempt_in_it(traced: Traced, api: Api) -> None:
    hook = api.hook()
    hook.script.extend([Answer(status=500), Answer(body={"success": True})])
    retry = {"max_attempts": 2, "backoff_minutes": [0]}
    cue = await api.webhook_cue(hook, schedule=soon(), retry=retry)
    done = await api.only_execution(cue["id"], outcome_state="reported_success")

    async def both() -> list[Collected] | None:
        spans = traced.collector.trace(done["trace_id"])
        found = [span for span in spans if span.label == "dispatcher: POST"]
        return found if len(found) == 2 and "scheduler: fire" in Story(spans).spans else None

    attempts = await eventually(both, "the spans of two attempts")
    assert [(a.failed, a.attributes["http.response.status_code"]) for a in attempts] == [
        (True, 500),
        (False, 200),
    ]
    assert [a.attributes["http.request.resend_count"] for a in attempts] == [0, 1]
    roots = [span for span in traced.collector.trace(done["trace_id"]) if not span.parent]
    assert [root.label for root in roots] == ["scheduler: fire"]


async def test_a_workers_claim_and_report_are_traces_of_their_own_requests(
    traced: Traced, api: Api
) -> None:
    cue = await api.worker_cue()
    execution_id = await api.fire(cue["id"])
    claim = {"traceparent": f"00-{TRACE[::-1]}-{CALLER}-01"}
    ok(await api.post(f"/v1/executions/{execution_id}/claim", {"worker_id": "w"}, **claim))
    ok(await api.post(f"/v1/executions/{execution_id}/outcome", {"success": True}, **claim))
    ends = ("dispatcher: append ExecutionClaimed", "outcomes: append OutcomeReported")
    story = await traced.story(TRACE[::-1], *ends)
    assert story.above("dispatcher: append ExecutionClaimed")[-1] == "caller"
    assert story.above("outcomes: append OutcomeReported") == [
        "outcomes: process commands.outcomes.report_outcome",
        "api: send commands.outcomes.report_outcome",
        "api: POST /v1/executions/{execution_id}/outcome",
        "caller",
    ]


async def test_a_caller_that_does_not_sample_is_not_collected(traced: Traced, api: Api) -> None:
    quiet, loud = "1" * 32, "2" * 32
    ok(await api.call("GET", "/v1/cues", headers={"traceparent": f"00-{quiet}-{CALLER}-00"}))
    ok(await api.call("GET", "/v1/cues", headers={"traceparent": f"00-{loud}-{CALLER}-01"}))
    await traced.story(loud, "api: GET /v1/cues")
    assert traced.collector.trace(quiet) == []


async def test_a_refusal_names_the_trace_it_belongs_to(traced: Traced, api: Api) -> None:
    headers = {"traceparent": f"00-{'3' * 32}-{CALLER}-01"}
    refusal = await api.call("GET", "/v1/cues/cue_000000000000", headers=headers)
    assert refusal.status == 404
    assert refusal.body["error"]["trace_id"] == "3" * 32
    story = await traced.story("3" * 32, "api: GET /v1/cues/{cue_id}")
    span = story.spans["api: GET /v1/cues/{cue_id}"]
    assert (span.attributes["http.response.status_code"], span.failed) == (404, False)


async def test_a_broker_that_was_wiped_does_not_break_a_story(traced: Traced, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    await wipe(traced.world.stack.nats)
    cue = await api.webhook_cue(hook)
    done = await api.when(await api.fire(cue["id"]), outcome_state="reported_success")
    story = await traced.story(done["trace_id"], "outcomes: append OutcomeReported")
    assert story.above("outcomes: append OutcomeReported")[-1].startswith("api: POST")


async def test_no_secret_is_on_any_span(traced: Traced, api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    await api.when(await api.fire(cue["id"]), status="success")
    values = [str(v) for span in traced.collector.spans for v in span.attributes.values()]
    assert values
    for secret in (hook.canary, api.key, api.webhook_secret):
        assert secret is not None
        assert not [value for value in values if secret in value]


async def test_metrics_lead_to_the_trace_of_an_observation(traced: Traced, api: Api) -> None:
    hook = api.hook()
    cue = await api.webhook_cue(hook)
    execution_id = await api.fire(cue["id"])
    await api.when(execution_id, status="success")
    trace_id = (await api.execution(execution_id))["trace_id"]
    [dispatcher] = traced.world.stack.services["dispatcher"]
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}

    async def shown() -> str | None:
        url = dispatcher.health.replace("/readyz", "/metrics")
        text = (await traced.world.http.get(url, headers=accept)).text
        return text if f'trace_id="{trace_id}"' in text else None

    metrics = await eventually(shown, "the exemplar of a delivery")
    of_trace = [line for line in metrics.splitlines() if f'trace_id="{trace_id}"' in line]
    assert {line.partition("_bucket")[0] for line in of_trace} == {
        "cueapi_delivery_duration_seconds",
        "cueapi_delivery_lateness_seconds",
    }
