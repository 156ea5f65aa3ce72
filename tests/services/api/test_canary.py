"""The service's own cue: brought to where it should be, answered, and told of without a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from libs.events.cues import (
    ActiveCue,
    CreateCue,
    Cue,
    CueFacts,
    DeletedCue,
    PausedCue,
    UpdateCue,
)
from services.api.rules.canary import ACCOUNT_ID, CUE_ID, next_command
from services.api.rules.uptime import Run
from tests.services.api.conftest import Fixture

BASE = "https://api.example.com"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def made() -> CreateCue:
    command = next_command(None, BASE, wanted=True)
    assert isinstance(command, CreateCue)
    return command


def facts() -> CueFacts:
    return CueFacts(
        id=CUE_ID,
        account_id=ACCOUNT_ID,
        settings=made().settings,
        created_at=NOW,
        updated_at=NOW,
    )


ACTIVE: Cue = ActiveCue(facts=facts(), next_run=NOW)
PAUSED: Cue = PausedCue(facts=facts(), since=NOW)
DELETED: Cue = DeletedCue(facts=facts())


def test_the_cue_calls_the_service_itself_each_minute_and_mails_nobody() -> None:
    settings = made().settings
    assert settings.callback.url == f"{BASE}/v1/echo/canary"
    assert settings.schedule.cron == "* * * * *"
    assert not settings.on_failure.email


@pytest.mark.parametrize(
    ("cue", "wanted"), [(None, False), (ACTIVE, True), (PAUSED, False), (DELETED, True)]
)
def test_a_cue_that_is_as_it_should_be_is_left_alone(cue: Cue | None, wanted: bool) -> None:
    assert next_command(cue, BASE, wanted=wanted) is None


@pytest.mark.parametrize(
    ("cue", "wanted", "status"), [(ACTIVE, False, "paused"), (PAUSED, True, "active")]
)
def test_a_cue_is_paused_where_it_is_not_wanted(cue: Cue, wanted: bool, status: str) -> None:
    command = next_command(cue, BASE, wanted=wanted)
    assert isinstance(command, UpdateCue)
    assert (command.changes, command.status) == ({}, status)


def test_the_cue_follows_the_servers_address() -> None:
    command = next_command(ACTIVE, "https://new.example.com", wanted=True)
    assert isinstance(command, UpdateCue)
    assert command.changes == {"callback": {"url": "https://new.example.com/v1/echo/canary"}}


async def test_the_delivery_is_answered_with_an_outcome(api: Fixture) -> None:
    response = await api.client.post("/v1/echo/canary", json={"execution_id": "x"})
    assert (response.status_code, response.json()) == (200, {"success": True})


async def test_history_needs_no_key_and_no_database(api: Fixture) -> None:
    due = datetime.now(UTC).replace(second=0, microsecond=0)
    fired = due + timedelta(milliseconds=5)
    api.ports.uptime.add(Run(due, fired, fired, reported=True, ended=True))
    asked = len(api.store.asked)

    response = await api.client.get("/v1/status/history", headers={"Authorization": ""})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=15"
    told = response.json()
    assert told["status"] == "operational"
    assert [c["name"] for c in told["components"]] == ["scheduling", "delivery", "outcomes"]
    for component in told["components"]:
        assert (component["status"], component["uptime"]) == ("operational", 1.0)
        assert len(component["days"]) == 90
        assert component["days"][0]["uptime"] is None
        assert component["days"][-1] == {"date": f"{due:%Y-%m-%d}", "uptime": 1.0, "minutes": 1}
    assert told["incidents"] == []
    assert len(api.store.asked) == asked
