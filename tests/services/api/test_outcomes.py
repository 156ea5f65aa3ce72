"""Outcomes and evidence (contract §2 nr 9, 10): one row for each bound."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from libs.events.answers import OutcomeAnswer
from libs.events.execution_commands import AppendEvidence, ReportOutcome
from tests.services.api.bodies import ABSENT, changed
from tests.services.api.conftest import Fixture
from tests.services.api.fakes import ACCOUNT

EXECUTION = "550e8400-e29b-41d4-a716-446655440000"
OUTCOME = f"/v1/executions/{EXECUTION}/outcome"
EVIDENCE = f"/v1/executions/{EXECUTION}/evidence"

BOUNDS: list[tuple[str, Any, int, str]] = [
    ("external_id", "x" * 256, 422, "validation_error"),
    ("external_id", 1, 422, "validation_error"),
    ("result_ref", "x" * 501, 422, "validation_error"),
    ("result_url", "https://a.example/" + "x" * 2_031, 422, "validation_error"),
    ("result_url", "ftp://a.example/", 422, "validation_error"),
    ("result_url", "/relative", 422, "validation_error"),
    ("result_url", "https://", 422, "validation_error"),
    ("result_url", "https://[::1", 422, "validation_error"),
    ("result_url", "https://a.example/ b", 422, "validation_error"),
    ("result_type", "x" * 51, 422, "validation_error"),
    ("summary", "x" * 501, 422, "validation_error"),
    ("summary", "a\0b", 422, "validation_error"),
    ("artifacts", {}, 422, "validation_error"),
    ("artifacts", [1] * 101, 422, "validation_error"),
    ("artifacts", ["x" * 65_536], 422, "validation_error"),
    ("metadata", [], 422, "validation_error"),
    ("metadata", "x", 422, "validation_error"),
    ("metadata", {"x": "y" * 10_233}, 400, "metadata_too_large"),
    ("metadata", {"x": "\0"}, 422, "validation_error"),
    ("confidence", 1, 422, "validation_error"),
]


@pytest.fixture
def known(api: Fixture) -> Fixture:
    """The execution exists, and its outcomes are accepted."""
    state = {
        "stage": "pending",
        "due_at": "2026-03-28T13:00:00Z",
        "facts": {
            "id": EXECUTION,
            "account_id": ACCOUNT,
            "cue_id": "cue_x7k9m2p4q8w1",
            "transport": "worker",
            "triggered_by": "scheduled",
            "scheduled_for": "2026-03-28T13:00:00Z",
            "payload": {},
            "created_at": "2026-03-28T13:00:00Z",
            "updated_at": "2026-03-28T13:00:00Z",
        },
    }
    row = {"cue_name": "nightly", "state": msgspec.json.encode(state).decode()}
    api.store.tell("api_executions", row)
    for kind in (ReportOutcome, AppendEvidence):
        api.bus.answer(
            kind,
            lambda _: OutcomeAnswer(
                execution_id=EXECUTION,
                outcome_state="reported_success",
                outcome_success=True,
                status="success",
            ),
        )
    return api


@pytest.mark.parametrize(("field", "value", "status", "code"), BOUNDS)
@pytest.mark.parametrize(("method", "path"), [("POST", OUTCOME), ("PATCH", EVIDENCE)])
async def test_bounds(
    known: Fixture, method: str, path: str, field: str, value: Any, status: int, code: str
) -> None:
    body = {field: value} if method == "PATCH" else {"success": True, field: value}
    response = await known.client.request(method, path, json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert known.bus.commands == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("success", ABSENT),
        ("success", None),
        ("success", "true"),
        ("success", 1),
        ("result", "x" * 8_001),
        ("error", "x" * 8_001),
        ("worker_id", "x" * 256),
        ("worker_id", ""),
        ("status", "success"),
    ],
)
async def test_bounds_of_outcomes_alone(known: Fixture, field: str, value: Any) -> None:
    response = await known.client.post(OUTCOME, json=changed({"success": True}, field, value))
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, "validation_error")
    assert [detail["field"] for detail in error["details"]] == [f"body.{field}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("result", "é" * 8_000),
        ("external_id", "x" * 255),
        ("result_ref", "x" * 500),
        ("result_url", "http://10.0.0.1/" + "x" * 2_032),
        ("result_url", ""),
        ("result_type", "x" * 50),
        ("summary", "x" * 500),
        ("artifacts", [{"any": [1, None]}] * 100),
        ("artifacts", ["x" * 65_532]),
        ("metadata", {"x": "y" * 10_232}),
        ("metadata", None),
    ],
)
async def test_accepted(known: Fixture, field: str, value: Any) -> None:
    response = await known.client.post(OUTCOME, json={"success": False, field: value})
    assert response.status_code == 200, response.text
    report = known.bus.command.report
    stored = (
        known.store.blobs.get(bytes.fromhex(report.details_ref)) if report.details_ref else b"{}"
    )
    assert stored is not None
    assert msgspec.json.decode(stored) == ({field: value} if value else {})


@pytest.mark.parametrize(
    ("body", "header", "worker"),
    [
        ({}, None, None),
        ({"worker_id": "w1"}, None, "w1"),
        ({}, "w2", "w2"),
        ({"worker_id": "w1"}, "w2", "w1"),
        ({}, "", None),
        ({}, "wörker", "wörker"),
    ],
)
async def test_who_reports(
    known: Fixture, body: dict[str, Any], header: str | None, worker: str | None
) -> None:
    headers = [] if header is None else [(b"X-Worker-Id", header.encode())]
    await known.client.post(OUTCOME, json={"success": True, **body}, headers=headers)
    assert known.bus.command.worker_id == worker


async def test_a_missing_execution_comes_before_bad_values(api: Fixture) -> None:
    body = {"success": True, "metadata": {"x": "y" * 20_000}}
    for path in (OUTCOME, OUTCOME.replace(EXECUTION, "nonsense")):
        response = await api.client.post(path, json=body)
        assert (response.status_code, response.json()["error"]["code"]) == (
            404,
            "execution_not_found",
        )
