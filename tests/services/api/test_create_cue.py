"""POST /v1/cues (contract §2 nr 1): one row for each bound and each error."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from libs.events.base import Transport, VerificationMode
from services.api.routes.cue_wire import CueWire
from tests.services.api.bodies import ABSENT, CALLBACK, CRON, CUE, ONCE, changed
from tests.services.api.conftest import Fixture

URL = "https://a.example/" + "x" * (2_048 - 18)


@pytest.mark.parametrize(
    ("path", "value", "status", "code", "field"),
    [
        ("name", ABSENT, 422, "validation_error", "body.name"),
        ("name", None, 422, "validation_error", "body.name"),
        ("name", 7, 422, "validation_error", "body.name"),
        ("name", "", 422, "validation_error", "body.name"),
        ("name", " \t ", 422, "validation_error", "body.name"),
        ("name", "x" * 256, 422, "validation_error", "body.name"),
        ("name", "a\0b", 422, "validation_error", "body.name"),
        ("description", "x" * 5_001, 422, "validation_error", "body.description"),
        ("description", 1, 422, "validation_error", "body.description"),
        ("schedule", ABSENT, 422, "validation_error", "body.schedule"),
        ("schedule", [], 422, "validation_error", "body.schedule"),
        ("schedule", "daily", 422, "validation_error", "body.schedule"),
        ("schedule.type", ABSENT, 422, "validation_error", "body.schedule.type"),
        ("schedule.type", 1, 422, "validation_error", "body.schedule.type"),
        ("schedule.type", "hourly", 400, "invalid_schedule", None),
        ("schedule.cron", ABSENT, 400, "invalid_schedule", None),
        ("schedule.cron", None, 400, "invalid_schedule", None),
        ("schedule.cron", 5, 422, "validation_error", "body.schedule.cron"),
        ("schedule.cron", "0 9 * * *" + " " * 92, 400, "invalid_schedule", None),
        ("schedule", {"type": "once"}, 400, "invalid_schedule", None),
        ("schedule", {**ONCE, "cron": "* * * * *"}, 400, "invalid_schedule", None),
        ("schedule", {**CRON, "at": ONCE["at"]}, 400, "invalid_schedule", None),
        (
            "schedule",
            {"type": "once", "at": 1767225600},
            422,
            "validation_error",
            "body.schedule.at",
        ),
        (
            "schedule",
            {"type": "once", "at": "tomorrow"},
            422,
            "validation_error",
            "body.schedule.at",
        ),
        (
            "schedule",
            {"type": "once", "at": "2027-01-01"},
            422,
            "validation_error",
            "body.schedule.at",
        ),
        (
            "schedule",
            {"type": "once", "at": "2027-13-01T00:00:00Z"},
            422,
            "validation_error",
            "body.schedule.at",
        ),
        ("schedule.timezone", "Mars/Olympus", 422, "invalid_timezone", None),
        ("schedule.timezone", "+02:00", 422, "invalid_timezone", None),
        ("schedule.timezone", "", 422, "invalid_timezone", None),
        ("schedule.timezone", 2, 422, "validation_error", "body.schedule.timezone"),
        ("schedule.every", "day", 422, "validation_error", "body.schedule.every"),
        ("transport", "email", 422, "validation_error", "body.transport"),
        ("transport", 1, 422, "validation_error", "body.transport"),
        ("callback", ABSENT, 422, "validation_error", "body.callback.url"),
        ("callback", {}, 422, "validation_error", "body.callback.url"),
        ("callback.url", None, 422, "validation_error", "body.callback.url"),
        ("callback.url", 1, 422, "validation_error", "body.callback.url"),
        ("callback.url", "", 400, "invalid_callback_url", None),
        ("callback.url", "no url", 400, "invalid_callback_url", None),
        ("callback.url", "http://a.example/", 400, "invalid_callback_url", None),
        ("callback.url", "ftp://a.example/", 400, "invalid_callback_url", None),
        ("callback.url", "https://u:p@a.example/", 400, "invalid_callback_url", None),
        ("callback.url", "https://localhost/", 400, "invalid_callback_url", None),
        ("callback.url", "https://127.0.0.1/", 400, "invalid_callback_url", None),
        ("callback.url", "https://0x7f000001/", 400, "invalid_callback_url", None),
        ("callback.url", "https://[::1]/", 400, "invalid_callback_url", None),
        ("callback.url", "https://169.254.169.254/", 400, "invalid_callback_url", None),
        ("callback.url", "https://metadata.google.internal/", 400, "invalid_callback_url", None),
        ("callback.url", "https://internal.example.com/", 400, "invalid_callback_url", None),
        ("callback.url", URL + "x", 400, "invalid_callback_url", None),
        ("callback.method", "DELETE", 422, "validation_error", "body.callback.method"),
        ("callback.method", "post", 422, "validation_error", "body.callback.method"),
        ("callback.headers", [], 422, "validation_error", "body.callback.headers"),
        ("callback.headers", {"A": 1}, 422, "validation_error", "body.callback.headers.A"),
        ("callback.headers", {"A": None}, 422, "validation_error", "body.callback.headers.A"),
        (
            "callback.headers",
            {f"H{n}": "x" for n in range(21)},
            422,
            "validation_error",
            "body.callback.headers",
        ),
        ("callback.headers", {"Host": "x"}, 422, "validation_error", "body.callback.headers.Host"),
        (
            "callback.headers",
            {"x-cueapi-a": "x"},
            422,
            "validation_error",
            "body.callback.headers.x-cueapi-a",
        ),
        ("callback.headers", {"a b": "x"}, 422, "validation_error", "body.callback.headers.a b"),
        ("callback.headers", {"A": "x\ny"}, 422, "validation_error", "body.callback.headers.A"),
        (
            "callback.headers",
            {"A": "x" * 4_097},
            422,
            "validation_error",
            "body.callback.headers.A",
        ),
        ("callback.transport", "worker", 422, "validation_error", "body.callback.transport"),
        ("payload", [], 422, "validation_error", "body.payload"),
        ("payload", "text", 422, "validation_error", "body.payload"),
        ("payload", {"x": "y" * 1_048_576}, 400, "invalid_payload_size", None),
        ("payload", {"x": "a\0b"}, 400, "invalid_payload", None),
        ("payload", {"a\0b": 1}, 400, "invalid_payload", None),
        ("retry.max_attempts", 0, 422, "validation_error", "body.retry.max_attempts"),
        ("retry.max_attempts", 11, 422, "validation_error", "body.retry.max_attempts"),
        ("retry.max_attempts", "3", 422, "validation_error", "body.retry.max_attempts"),
        ("retry.max_attempts", 1.5, 422, "validation_error", "body.retry.max_attempts"),
        ("retry.max_attempts", True, 422, "validation_error", "body.retry.max_attempts"),
        ("retry.backoff_minutes", [], 422, "validation_error", "body.retry.backoff_minutes"),
        ("retry.backoff_minutes", [1] * 11, 422, "validation_error", "body.retry.backoff_minutes"),
        ("retry.backoff_minutes", [1, -1], 422, "validation_error", "body.retry.backoff_minutes.1"),
        ("retry.backoff_minutes", [1_441], 422, "validation_error", "body.retry.backoff_minutes.0"),
        ("retry.jitter", 1, 422, "validation_error", "body.retry.jitter"),
        ("delivery.timeout_seconds", 0, 422, "validation_error", "body.delivery.timeout_seconds"),
        (
            "delivery.timeout_seconds",
            3_601,
            422,
            "validation_error",
            "body.delivery.timeout_seconds",
        ),
        (
            "delivery.outcome_deadline_seconds",
            0,
            422,
            "validation_error",
            "body.delivery.outcome_deadline_seconds",
        ),
        (
            "delivery.outcome_deadline_seconds",
            3_601,
            422,
            "validation_error",
            "body.delivery.outcome_deadline_seconds",
        ),
        (
            "alerts.consecutive_failures",
            0,
            422,
            "validation_error",
            "body.alerts.consecutive_failures",
        ),
        (
            "alerts.consecutive_failures",
            101,
            422,
            "validation_error",
            "body.alerts.consecutive_failures",
        ),
        (
            "alerts.missed_window_multiplier",
            11,
            422,
            "validation_error",
            "body.alerts.missed_window_multiplier",
        ),
        ("catch_up", "all", 422, "validation_error", "body.catch_up"),
        ("verification.mode", "trust", 422, "validation_error", "body.verification.mode"),
        ("on_failure.email", "true", 422, "validation_error", "body.on_failure.email"),
        ("on_failure.email", 1, 422, "validation_error", "body.on_failure.email"),
        ("on_failure.pause", 0, 422, "validation_error", "body.on_failure.pause"),
        ("on_failure.webhook", "http://a.example/", 400, "invalid_callback_url", None),
        ("on_failure.webhook", "https://10.0.0.1/", 400, "invalid_callback_url", None),
        ("on_success_fire", "cue_x", 422, "validation_error", "body.on_success_fire"),
        ("unknown", None, 422, "validation_error", "body.unknown"),
    ],
)
async def test_is_refused(
    api: Fixture, path: str, value: Any, status: int, code: str, field: str | None
) -> None:
    response = await api.client.post("/v1/cues", json=changed(CUE, path, value))
    error = response.json()["error"]
    assert (response.status_code, error["status"], error["code"]) == (status, status, code)
    if field is None:
        assert "details" not in error
    else:
        assert field in [detail["field"] for detail in error["details"]]
    assert api.bus.commands == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "x"),
        ("name", "é" * 255),
        ("description", "é" * 5_000),
        ("description", ""),
        ("schedule.timezone", "europe/berlin"),
        ("schedule", ONCE),
        ("schedule", {**ONCE, "cron": None}),
        ("schedule", {"type": "once", "at": "2027-01-01T00:00:00+05:30"}),
        ("callback.url", URL),
        ("callback.url", "https://nobody-has-this-name.example/x?y=1#z"),
        ("callback.method", "GET"),
        ("callback.headers", {f"H{n}": "x" * 4_096 for n in range(20)}),
        ("payload", {"x": "y" * (1_048_576 - 8)}),
        ("payload", {"x": "é😀", "y": [None, True, 1.5]}),
        ("payload", {"backslash": "\\u0000"}),
        ("retry.max_attempts", 10),
        ("retry.backoff_minutes", [0] * 10),
        ("retry.backoff_minutes", [1_440]),
        ("delivery.timeout_seconds", 3_600),
        ("alerts.consecutive_failures", 100),
        ("alerts.missed_window_multiplier", 10),
        ("catch_up", "replay_all"),
        ("verification.mode", "manual"),
        ("on_failure.webhook", "https://a.example/hook"),
    ],
)
async def test_is_accepted_and_echoed(api: Fixture, path: str, value: Any) -> None:
    body = changed(CUE, path, value)
    response = await api.client.post("/v1/cues", json=body)
    assert response.status_code == 201, response.text
    cue = response.json()
    if path not in ("schedule", "schedule.timezone", "catch_up"):
        part, _, name = path.partition(".")
        assert (cue[part][name] if name else cue[part]) == value


async def test_every_key_is_answered_with_its_effective_value(api: Fixture) -> None:
    response = await api.client.post("/v1/cues", json=CUE)
    cue = response.json()
    assert list(cue) == list(CueWire.__struct_fields__)
    assert cue == {
        "id": cue["id"],
        "name": "morning-briefing",
        "description": None,
        "status": "active",
        "transport": "webhook",
        "schedule": {**CRON, "at": None, "timezone": "UTC"},
        "callback": {**CALLBACK, "method": "POST", "headers": {}},
        "payload": {},
        "retry": {"max_attempts": 3, "backoff_minutes": [1, 5, 15]},
        "delivery": {"timeout_seconds": 30, "outcome_deadline_seconds": 300},
        "alerts": {"consecutive_failures": 3, "missed_window_multiplier": 2},
        "catch_up": "run_once_if_missed",
        "verification": {"mode": "none"},
        "on_failure": {"email": True, "webhook": None, "pause": False},
        "next_run": "2026-03-28T14:00:00Z",
        "last_run": None,
        "run_count": 0,
        "fired_count": 0,
        "warning": None,
        "created_at": "2026-03-28T13:00:00Z",
        "updated_at": "2026-03-28T13:00:00Z",
    }


async def test_null_is_absent(api: Fixture) -> None:
    nulls = dict.fromkeys(
        ("description", "transport", "payload", "retry", "delivery", "alerts", "catch_up")
    )
    body = {
        **CUE,
        **nulls,
        "on_failure": {"email": None, "webhook": None},
        "verification": {"mode": None},
        "callback": {**CALLBACK, "method": None, "headers": None},
    }
    response = await api.client.post("/v1/cues", json=body)
    plain = await api.client.post("/v1/cues", json=CUE)
    unlike = {"id": None}
    assert {**response.json(), **unlike} == {**plain.json(), **unlike}


async def test_sub_objects_are_partial(api: Fixture) -> None:
    body = {**CUE, "retry": {"max_attempts": 5}, "delivery": {"timeout_seconds": 9}}
    cue = (await api.client.post("/v1/cues", json=body)).json()
    assert cue["retry"] == {"max_attempts": 5, "backoff_minutes": [1, 5, 15]}
    assert cue["delivery"] == {"timeout_seconds": 9, "outcome_deadline_seconds": 300}


async def test_name_is_trimmed(api: Fixture) -> None:
    response = await api.client.post("/v1/cues", json={**CUE, "name": "  a b  "})
    assert response.json()["name"] == "a b"


@pytest.mark.parametrize(
    ("short", "meaning"),
    [
        (
            {"cron": "0 9 * * *", "timezone": "Asia/Tokyo", "callback_url": CALLBACK["url"]},
            {"schedule": {**CRON, "at": None, "timezone": "Asia/Tokyo"}, "transport": "webhook"},
        ),
        (
            {"at": "2027-01-01T00:00:00Z", "worker": True},
            {
                "schedule": {**ONCE, "cron": None, "timezone": "UTC"},
                "callback": {"url": None, "method": "POST", "headers": {}},
                "transport": "worker",
            },
        ),
    ],
)
async def test_short_form(api: Fixture, short: dict[str, Any], meaning: dict[str, Any]) -> None:
    response = await api.client.post("/v1/cues", json={"name": "flat", **short})
    assert response.status_code == 201, response.text
    assert meaning.items() <= response.json().items()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({**CUE, "cron": "* * * * *"}, ["body.cron"]),
        (
            {**CUE, "callback_url": "https://a.example", "worker": True},
            ["body.callback_url", "body.worker"],
        ),
        ({"name": "x", "cron": "* * * * *", "callback": CALLBACK}, ["body.cron"]),
        ({"name": "x", "cron": "* * * * *", "at": ONCE["at"], "worker": True}, ["body.at"]),
        ({"name": "x", "timezone": "UTC", "worker": True}, ["body.schedule"]),
        ({"name": "x", "cron": "* * * * *"}, ["body.callback.url"]),
    ],
)
async def test_short_form_is_not_mixed(
    api: Fixture, body: dict[str, Any], fields: list[str]
) -> None:
    response = await api.client.post("/v1/cues", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, "validation_error")
    assert [detail["field"] for detail in error["details"]] == fields


async def test_all_shape_faults_are_told_at_once(api: Fixture) -> None:
    body = {"nam": "x", "schedule": {"cron": 1}, "retry": {"max_attempts": "3"}}
    response = await api.client.post("/v1/cues", json=body)
    fields = {detail["field"] for detail in response.json()["error"]["details"]}
    assert fields == {
        "body.name",
        "body.nam",
        "body.schedule.type",
        "body.schedule.cron",
        "body.retry.max_attempts",
    }


async def test_settings_reach_the_scheduler(api: Fixture) -> None:
    body = {
        **CUE,
        "transport": "worker",
        "callback": {"headers": {"Authorization": "Bearer agent-secret"}},
        "payload": {"task": "sync", "agent": "a1", "x": 1},
        "verification": {"mode": "require_artifacts"},
        "catch_up": "replay_all",
        "retry": {"backoff_minutes": [2]},
    }
    await api.client.post("/v1/cues", json=body)
    settings = api.bus.command.settings
    assert settings.transport is Transport.WORKER
    assert settings.verification is VerificationMode.REQUIRE_ARTIFACTS
    assert settings.catch_up == "replay_all_missed"
    assert settings.retry.backoff_minutes == (2,)
    assert (settings.payload.task, settings.payload.agent) == ("sync", "a1")
    stored = api.store.blobs[bytes.fromhex(settings.payload.sha256)]
    assert stored == b'{"task":"sync","agent":"a1","x":1}'
    assert b"agent-secret" not in b"".join(api.store.blobs.values())
    assert b"agent-secret" not in msgspec.json.encode(api.bus.command)


async def test_large_words_stay_in_the_payload(api: Fixture) -> None:
    await api.client.post("/v1/cues", json={**CUE, "payload": {"task": "t" * 256, "agent": 7}})
    payload = api.bus.command.settings.payload
    assert (payload.task, payload.agent) == (None, None)


async def test_nothing_is_stored_when_there_is_nothing_to_store(api: Fixture) -> None:
    await api.client.post("/v1/cues", json={**CUE, "payload": {}})
    assert api.store.blobs == {}
    assert api.bus.command.settings.payload.sha256 is None


@pytest.mark.parametrize(
    ("at", "zone", "instant", "shown"),
    [
        (
            "2027-01-01T09:00:00",
            "America/New_York",
            "2027-01-01T14:00:00Z",
            "2027-01-01T09:00:00-05:00",
        ),
        (
            "2027-01-01T09:00:00Z",
            "America/New_York",
            "2027-01-01T09:00:00Z",
            "2027-01-01T04:00:00-05:00",
        ),
        (
            "2027-01-01T09:00:00.25",
            "UTC",
            "2027-01-01T09:00:00.250000Z",
            "2027-01-01T09:00:00.250000Z",
        ),
        (
            "2027-03-28T02:30:00",
            "Europe/Berlin",
            "2027-03-28T01:00:00Z",
            "2027-03-28T03:00:00+02:00",
        ),
        (
            "2027-10-31T02:30:00",
            "Europe/Berlin",
            "2027-10-31T00:30:00Z",
            "2027-10-31T02:30:00+02:00",
        ),
    ],
)
async def test_at_without_offset_is_read_in_the_cues_zone(
    api: Fixture, at: str, zone: str, instant: str, shown: str
) -> None:
    schedule = {"type": "once", "at": at, "timezone": zone}
    response = await api.client.post("/v1/cues", json={**CUE, "schedule": schedule})
    assert json.loads(msgspec.json.encode(api.bus.command.settings.schedule))["at"] == instant
    assert response.json()["schedule"]["at"] == shown


@pytest.mark.parametrize("alive", [True, False])
async def test_worker_cue_warns_when_no_worker_is_active(api: Fixture, alive: bool) -> None:
    api.store.active_workers = int(alive)
    body = {"name": "w", "schedule": CRON, "transport": "worker"}
    warning = (await api.client.post("/v1/cues", json=body)).json()["warning"]
    assert warning is None if alive else "No active workers" in warning


async def test_worker_cue_keeps_but_checks_its_callback(api: Fixture) -> None:
    body = {**CUE, "transport": "worker"}
    assert (await api.client.post("/v1/cues", json=body)).json()["callback"]["url"] == CALLBACK[
        "url"
    ]
    body = changed(body, "callback.url", "http://a.example/")
    response = await api.client.post("/v1/cues", json=body)
    assert response.json()["error"]["code"] == "invalid_callback_url"


async def test_entity_tag_is_the_version(api: Fixture) -> None:
    assert (await api.client.post("/v1/cues", json=CUE)).headers["etag"] == '"1"'
