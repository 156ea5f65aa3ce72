from __future__ import annotations

from collections.abc import Iterator

import pytest

from libs.runtime.telemetry import begin_trace, collects, configure_telemetry, open_span, span

NOWHERE = "http://127.0.0.1:9"
SAMPLED = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"


@pytest.fixture
def ratio(request: pytest.FixtureRequest) -> Iterator[float]:
    finish = configure_telemetry("test", NOWHERE, request.param)
    yield request.param
    finish()


def test_without_a_collector_a_trace_is_left_to_the_receiver() -> None:
    opened, traceparent = begin_trace("fire")
    assert opened is None
    assert traceparent.endswith("-01")
    assert open_span("send", SAMPLED) is None
    with span("send", SAMPLED) as inner:
        assert inner == SAMPLED


@pytest.mark.parametrize("ratio", [0.0], indirect=True)
def test_what_is_not_sampled_says_so_and_has_no_span(ratio: float) -> None:
    opened, traceparent = begin_trace("fire")
    assert opened is None
    assert traceparent.endswith("-00")
    assert not collects(traceparent)
    assert open_span("send", traceparent) is None


@pytest.mark.parametrize("ratio", [0.25], indirect=True)
def test_the_ratio_is_kept(ratio: float) -> None:
    sampled = sum(collects(begin_trace("fire")[1]) for _ in range(2_000))
    assert 400 < sampled < 600  # six standard deviations


@pytest.mark.parametrize("ratio", [0.0], indirect=True)
def test_a_callers_decision_stands(ratio: float) -> None:
    opened = open_span("send", SAMPLED)
    assert opened is not None
    assert opened.traceparent[:36] == SAMPLED[:36]
    assert opened.traceparent[36:52] != SAMPLED[36:52]
    opened.end()
