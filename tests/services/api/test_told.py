"""What is told of requests: counted by route, and named in the log by id and trace."""

from __future__ import annotations

import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from libs.events.bus import Unanswered
from tests.services.api.bodies import CUE
from tests.services.api.conftest import Fixture

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def requests(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("cueapi_http_request_duration_seconds_count", labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("GET", "/v1/cues/cue_x7k9m2p4q8w1/?a=1", ("GET", "/v1/cues/{cue_id}", "4xx")),
        ("GET", "/v1/nothing/at/all", ("GET", "unmatched", "4xx")),
        ("BREW", "/v1/cues", ("other", "/v1/cues", "4xx")),
    ],
    ids=["a route", "no route", "no method of ours"],
)
async def test_a_request_is_counted_by_its_route_and_never_by_its_path(
    api: Fixture, method: str, path: str, counted: tuple[str, str, str]
) -> None:
    before = requests(*counted)
    await api.client.request(method, path, headers={"Authorization": ""})
    assert requests(*counted) == before + 1


async def test_what_we_failed_is_logged_with_its_id_and_trace(api: Fixture) -> None:
    api.bus.failing = Unanswered("nobody")
    headers = {"X-Request-Id": "of-mine", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = await api.client.post("/v1/cues", json=CUE, headers=headers)
    assert response.status_code == 503
    [line] = [line for line in lines if line["event"] == "we failed a request"]
    assert (line["request_id"], line["trace_id"]) == ("of-mine", TRACE)
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/cues", 503)
    assert structlog.contextvars.get_contextvars() == {}
