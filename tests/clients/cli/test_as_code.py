"""Cues in a file: `apply`, `diff`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cueapi_cli.plan import DEFAULTS, Change, Create, Delete, exported, plan

from tests.clients.cli.conftest import Cli
from tests.clients.cli.fake_api import CUE, FakeApi

FILE = """
cues:
  - name: morning
    cron: "0 9 * * *"
    callback: https://example.com/hook
    payload: {task: brief}
  - name: evening
    cron: "0 18 * * 1-5"
    timezone: Europe/Berlin
    worker: true
    status: paused
    payload: {token: "${TOKEN}", price: "$$5"}
"""
OTHER = {**CUE, "id": "cue_other", "name": "other"}


@pytest.fixture
def file(cli: Cli, tmp_path: Path) -> Path:
    cli.environment["TOKEN"] = "t0"
    path = tmp_path / "cues.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def account(api: FakeApi) -> FakeApi:
    api.answers |= {
        "GET /v1/cues": {"cues": [CUE, OTHER], "total": 2},
        "POST /v1/cues": {**CUE, "id": "cue_new"},
        "PATCH /v1/cues/cue_new": CUE,
        f"PATCH /v1/cues/{CUE['id']}": CUE,
        "DELETE /v1/cues/cue_other": httpx.Response(204),
    }
    return api


def changes(api: FakeApi) -> list[str]:
    return [each for each in api.asked if not each.startswith("GET")]


def test_apply_shows_the_plan_and_does_it(cli: Cli, account: FakeApi, file: Path) -> None:
    told = cli.ok("apply", "-f", str(file), "--yes")
    assert told.splitlines()[0] == "+ evening"
    assert '    + payload: {"token": "t0", "price": "$5"}' in told
    assert told.endswith("Done: evening\n1 to create, 0 to change, 0 to delete.\n")
    assert changes(account) == ["POST /v1/cues", "PATCH /v1/cues/cue_new"]
    assert account.sent == {"status": "paused"}


def test_apply_asks_first(cli: Cli, account: FakeApi, file: Path) -> None:
    assert cli("apply", "-f", str(file), stdin="n\n").exit_code == 1
    assert cli.ok("apply", "-f", str(file), "--dry-run")
    assert changes(account) == []


def test_prune_deletes_what_the_file_does_not_name(cli: Cli, account: FakeApi, file: Path) -> None:
    told = cli.ok("apply", "-f", str(file), "--prune", "--yes")
    assert "- other" in told.splitlines()
    assert changes(account)[-1] == "DELETE /v1/cues/cue_other"


def test_changes_are_told_and_sent(cli: Cli, account: FakeApi, file: Path) -> None:
    file.write_text(FILE.replace("0 9 * * *", "0 8 * * *").split("  - name: evening")[0])
    told = cli.ok("apply", "-f", str(file), "--yes")
    assert '    - schedule: {"type": "recurring", "cron": "0 9 * * *"}' in told
    assert '    + schedule: {"type": "recurring", "cron": "0 8 * * *"}' in told
    assert account.sent == {"schedule": {"type": "recurring", "cron": "0 8 * * *"}}


def test_diff_ends_with_2_on_drift(cli: Cli, account: FakeApi, file: Path) -> None:
    drift = cli("diff", "-f", str(file))
    assert (drift.exit_code, drift.stdout.splitlines()[0]) == (2, "+ evening")
    file.write_text(FILE.split("  - name: evening")[0])
    assert cli.ok("diff", "-f", str(file)) == "No difference.\n"
    assert cli("diff", "-f", str(file), "--prune").exit_code == 2
    assert changes(account) == []


def test_what_is_exported_makes_no_difference(cli: Cli, account: FakeApi, tmp_path: Path) -> None:
    text = cli.ok("export")
    assert yaml.safe_load(text)["cues"][-1] == {
        "name": "morning",
        "schedule": {"type": "recurring", "cron": "0 9 * * *"},
        "callback": {"url": "https://example.com/hook"},
        "payload": {"task": "brief"},
    }
    path = tmp_path / "exported.yaml"
    path.write_text(text)
    assert cli.ok("diff", "-f", str(path), "--prune") == "No difference.\n"
    assert cli.ok("diff", "-f", "-", stdin=text) == "No difference.\n"


@pytest.mark.parametrize(
    "text",
    [
        "cues: {",
        "[]",
        "cues: [1]",
        "cues: [{name: a}]",
        "cues: [{name: a, cron: x, at: y}]",
        "cues: [{name: a, cron: x, nonsense: 1}]",
        "cues: [{name: a, cron: x}, {name: a, cron: x}]",
        "cues: [{name: a, cron: x, description: $NOT_SET}]",
    ],
)
def test_a_file_that_is_wrong(cli: Cli, account: FakeApi, tmp_path: Path, text: str) -> None:
    path = tmp_path / "cues.yaml"
    path.write_text(text)
    result = cli("apply", "-f", str(path), "--yes")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert account.requests == []


def test_a_transport_cannot_change(cli: Cli, account: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "cues.yaml"
    path.write_text('cues: [{name: morning, cron: "0 9 * * *", worker: true}]')
    result = cli("apply", "-f", str(path), "--yes")
    assert result.exit_code == 1
    assert "Hint: Delete it first" in result.stderr


def test_a_plan() -> None:
    wanted: list[dict[str, Any]] = [
        {"name": "morning", "retry": {"max_attempts": 5}},
        {"name": "n"},
    ]
    steps = plan(wanted, [CUE, OTHER], prune=True)
    assert [type(step) for step in steps] == [Change, Create, Delete]
    assert plan([exported(CUE, DEFAULTS)], [CUE], prune=True) == []
    same = {"name": "morning", "retry": {"max_attempts": 3}, "callback": {"headers": {}}}
    assert plan([same], [CUE], prune=False) == []
    payload = {"name": "morning", "payload": {}}
    (change,) = plan([payload], [CUE], prune=False)
    assert isinstance(change, Change)
    assert change.fields == {"payload": {}}


ONCE = {**CUE, "schedule": {"type": "once", "at": "2030-03-28T09:00:00-04:00", "timezone": "X"}}


@pytest.mark.parametrize(
    ("at", "same"),
    [
        ("2030-03-28T09:00:00-04:00", True),
        ("2030-03-28T13:00:00Z", True),
        ("2030-03-28T09:00:00", True),
        ("2030-03-28T13:00:00", False),
        ("2030-03-28T09:00:00Z", False),
        ("nonsense", False),
    ],
)
def test_instants_are_compared_as_instants(at: str, same: bool) -> None:
    wanted = {"name": "morning", "schedule": {"type": "once", "at": at}}
    assert (plan([wanted], [ONCE], prune=False) == []) is same


def test_a_time_that_yaml_reads_as_one(cli: Cli, account: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "cues.yaml"
    path.write_text("cues: [{name: once, at: 2030-03-28T09:00:00Z, worker: true}]")
    cli.ok("apply", "-f", str(path), "--yes")
    assert account.sent["schedule"] == {"type": "once", "at": "2030-03-28T09:00:00+00:00"}
