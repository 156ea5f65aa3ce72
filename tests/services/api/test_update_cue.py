"""PATCH and DELETE /v1/cues/{id} (contract §2 nr 4, 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.api.bodies import CALLBACK, CRON, CUE, ONCE, changed
from tests.services.api.conftest import Fixture


async def made(api: Fixture, **fields: Any) -> str:
    response = await api.client.post("/v1/cues", json={**CUE, **fields})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"name": None}, 422, "validation_error", "body.name"),
        ({"name": ""}, 422, "validation_error", "body.name"),
        ({"status": None}, 422, "validation_error", "body.status"),
        ({"status": "completed"}, 422, "validation_error", "body.status"),
        ({"status": "deleted"}, 422, "validation_error", "body.status"),
        ({"transport": "worker"}, 422, "validation_error", "body.transport"),
        ({"transport": None}, 422, "validation_error", "body.transport"),
        ({"cron": "* * * * *"}, 422, "validation_error", "body.cron"),
        ({"schedule": None}, 422, "validation_error", "body.schedule"),
        ({"schedule": {"cron": "* * * * *"}}, 422, "validation_error", "body.schedule.type"),
        ({"schedule": {"timezone": "UTC"}}, 422, "validation_error", "body.schedule.type"),
        (
            {"schedule": {**CRON, "timezone": None}},
            422,
            "validation_error",
            "body.schedule.timezone",
        ),
        ({"schedule": {**CRON, "timezone": "Mars"}}, 422, "invalid_timezone", None),
        ({"schedule": {"type": "recurring"}}, 400, "invalid_schedule", None),
        ({"schedule": {"type": "recurring", "cron": None}}, 400, "invalid_schedule", None),
        ({"schedule": {"type": "once"}}, 400, "invalid_schedule", None),
        ({"schedule": {"type": "often", "cron": "* * * * *"}}, 400, "invalid_schedule", None),
        ({"schedule": {**ONCE, "at": 1}}, 422, "validation_error", "body.schedule.at"),
        ({"callback": None}, 422, "validation_error", "body.callback"),
        ({"callback": {"url": None}}, 422, "validation_error", "body.callback.url"),
        ({"callback": {"url": "http://a.example"}}, 400, "invalid_callback_url", None),
        ({"callback": {"method": None}}, 422, "validation_error", "body.callback.method"),
        ({"callback": {"transport": "worker"}}, 422, "validation_error", "body.callback.transport"),
        (
            {"callback": {"headers": {"Host": "x"}}},
            422,
            "validation_error",
            "body.callback.headers.Host",
        ),
        ({"payload": []}, 422, "validation_error", "body.payload"),
        ({"payload": {"x": "y" * 1_048_576}}, 400, "invalid_payload_size", None),
        ({"payload": {"x": "\0"}}, 400, "invalid_payload", None),
        ({"retry": {"max_attempts": None}}, 422, "validation_error", "body.retry.max_attempts"),
        ({"retry": {"max_attempts": 11}}, 422, "validation_error", "body.retry.max_attempts"),
        ({"retry": {"backoff_minutes": []}}, 422, "validation_error", "body.retry.backoff_minutes"),
        (
            {"delivery": {"timeout_seconds": 0}},
            422,
            "validation_error",
            "body.delivery.timeout_seconds",
        ),
        (
            {"alerts": {"consecutive_failures": "3"}},
            422,
            "validation_error",
            "body.alerts.consecutive_failures",
        ),
        ({"catch_up": "never"}, 422, "validation_error", "body.catch_up"),
        ({"verification": {"mode": None}}, 422, "validation_error", "body.verification.mode"),
        ({"on_failure": {"email": None}}, 422, "validation_error", "body.on_failure.email"),
        ({"on_failure": {"webhook": "http://a.example"}}, 400, "invalid_callback_url", None),
        ({"unknown": None}, 422, "validation_error", "body.unknown"),
    ],
)
async def test_is_refused(
    api: Fixture, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    cue_id = await made(api)
    response = await api.client.patch(f"/v1/cues/{cue_id}", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code)
    if field is not None:
        assert field in [detail["field"] for detail in error["details"]]
    assert len(api.bus.commands) == 1


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({}, {}),
        ({"name": " new "}, {"name": "new"}),
        ({"description": None}, {"description_ref": None}),
        ({"status": "paused"}, {}),
        ({"callback": {}}, {}),
        ({"callback": {"url": "https://b.example"}}, {"callback": {"url": "https://b.example"}}),
        ({"callback": {"method": "PUT"}}, {"callback": {"method": "PUT"}}),
        ({"callback": {"headers": None}}, {"callback": {"headers_ref": None}}),
        ({"callback": {"headers": {}}}, {"callback": {"headers_ref": None}}),
        ({"payload": None}, {"payload": {}}),
        ({"payload": {}}, {"payload": {}}),
        ({"retry": None}, {"retry": {"max_attempts": 3, "backoff_minutes": [1, 5, 15]}}),
        ({"retry": {}}, {"retry": {}}),
        ({"retry": {"max_attempts": 5}}, {"retry": {"max_attempts": 5}}),
        ({"retry": {"backoff_minutes": [2]}}, {"retry": {"backoff_minutes": [2]}}),
        (
            {"delivery": None},
            {"delivery": {"timeout_seconds": 30, "outcome_deadline_seconds": 300}},
        ),
        ({"delivery": {"timeout_seconds": 9}}, {"delivery": {"timeout_seconds": 9}}),
        (
            {"alerts": None},
            {"alerts": {"consecutive_failures": 3, "missed_window_multiplier": 2}},
        ),
        ({"catch_up": None}, {"catch_up": "run_once_if_missed"}),
        ({"catch_up": "replay_all"}, {"catch_up": "replay_all_missed"}),
        ({"verification": None}, {"verification": "none"}),
        ({"verification": {}}, {}),
        ({"verification": {"mode": "manual"}}, {"verification": "manual"}),
        ({"on_failure": None}, {"on_failure": {"email": True, "webhook": None, "pause": False}}),
        ({"on_failure": {"webhook": None}}, {"on_failure": {"webhook": None}}),
        ({"on_failure": {"pause": True}}, {"on_failure": {"pause": True}}),
        ({"schedule": CRON}, {"schedule": {"cron": CRON["cron"], "at": None}}),
        ({"schedule": {**CRON, "at": None}}, {"schedule": {"cron": CRON["cron"], "at": None}}),
        (
            {"schedule": {**CRON, "timezone": "europe/berlin"}},
            {"schedule": {"cron": CRON["cron"], "at": None, "timezone": "Europe/Berlin"}},
        ),
        ({"schedule": ONCE}, {"schedule": {"cron": None, "at": ONCE["at"]}}),
    ],
)
async def test_changes(api: Fixture, body: dict[str, Any], changes: dict[str, Any]) -> None:
    cue_id = await made(api)
    response = await api.client.patch(f"/v1/cues/{cue_id}", json=body)
    assert response.status_code == 200, response.text
    assert response.json()["id"] == cue_id
    assert json.loads(json.dumps(api.bus.command.changes)) == changes
    assert api.bus.command.status == body.get("status")


async def test_large_parts_travel_by_reference(api: Fixture) -> None:
    cue_id = await made(api)
    body = {
        "description": "long",
        "payload": {"task": "t", "x": 1},
        "callback": {"headers": {"X-Token": "hush"}},
    }
    await api.client.patch(f"/v1/cues/{cue_id}", json=body)
    changes = api.bus.command.changes
    assert changes["payload"]["task"] == "t"
    assert api.store.blobs[bytes.fromhex(changes["payload"]["sha256"])] == b'{"task":"t","x":1}'
    assert api.store.blobs[bytes.fromhex(changes["description_ref"])] == b'"long"'
    assert bytes.fromhex(changes["callback"]["headers_ref"]) in api.store.blobs
    assert b"hush" not in b"".join(api.store.blobs.values())


async def test_at_without_offset_is_read_in_the_stored_zone(api: Fixture) -> None:
    cue_id = await made(api, schedule={**CRON, "timezone": "America/New_York"})
    body = {"schedule": {"type": "once", "at": "2027-01-01T09:00:00"}}
    await api.client.patch(f"/v1/cues/{cue_id}", json=body)
    assert api.bus.command.changes["schedule"] == {"cron": None, "at": "2027-01-01T14:00:00Z"}


@pytest.mark.parametrize("cue_id", ["cue_000000000000", "cue_X7K9M2P4Q8W1", "1", "cue_", "%00"])
async def test_unknown_and_malformed_ids_are_not_found(api: Fixture, cue_id: str) -> None:
    for method, body in (("PATCH", changed({}, "callback.url", "ftp://x")), ("GET", None)):
        response = await api.client.request(method, f"/v1/cues/{cue_id}", json=body)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "cue_not_found")
    assert api.bus.commands == []


@pytest.mark.parametrize(
    ("if_match", "version"),
    [(None, None), ("*", None), ('"7"', 7), ("7", -1), ('W/"7"', -1), ('"x"', -1), ('"7", "8"', 7)],
)
async def test_a_change_can_ask_for_a_version(
    api: Fixture, if_match: str | None, version: int | None
) -> None:
    cue_id = await made(api)
    headers = {} if if_match is None else {"If-Match": if_match}
    for method in ("PATCH", "DELETE"):
        await api.client.request(method, f"/v1/cues/{cue_id}", headers=headers)
        assert api.bus.command.if_version == version


async def test_delete_answers_nothing(api: Fixture) -> None:
    cue_id = await made(api)
    response = await api.client.delete(f"/v1/cues/{cue_id}")
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers


async def test_headers_are_shown_to_their_owner(api: Fixture) -> None:
    headers = {"Authorization": "Bearer agent", "X-U": "é"}
    cue_id = await made(api, callback={**CALLBACK, "headers": headers})
    response = await api.client.get(f"/v1/cues/{cue_id}")
    assert response.json()["callback"]["headers"] == headers
    assert response.json()["executions"] == []
    assert response.json()["execution_limit"] == 10
