"""The line as a whole: help that comes at once, options anywhere, parts of answers."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import Any

import httpx
import pytest
import typer
from cueapi_cli.app import hoisted
from cueapi_cli.catalogue import COMMANDS, overview
from cueapi_cli.paths import BadPath, picked

from tests.clients.cli.conftest import Cli
from tests.clients.cli.fake_api import FakeApi

# What clients.md §2 names, with Head's additions and §7's.
NAMED = (
    "login",
    "logout",
    "whoami",
    "quickstart",
    "create",
    "list",
    "get",
    "update",
    "pause",
    "resume",
    "delete",
    "fire",
    "usage",
    "upgrade",
    "manage",
    "executions:list",
    "executions:list-claimable",
    "executions:get",
    "executions:claim",
    "executions:claim-next",
    "executions:heartbeat",
    "executions:report-outcome",
    "executions:replay",
    "executions:verify",
    "executions:verification-pending",
    "key:regenerate",
    "key:webhook-secret",
    "bulk-delete",
    "workers:list",
    "workers:delete",
    "schedule:explain",
    "schedule:preview",
    "logs",
    "tail",
    "listen",
    "apply",
    "diff",
    "export",
    "dev",
    "trigger",
    "doctor",
    "auth:status",
    "api",
    "open",
    "alerts:list",
    "keys:list",
    "explain",
    "replay",
)


def command_of(name: str) -> Any:
    module = import_module(f"cueapi_cli.commands.{COMMANDS[name].module}")
    return typer.main.get_group(module.app).commands[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_catalogue_says_what_the_command_says(cli: Cli, name: str) -> None:
    first = (command_of(name).help or "").split("\n")[0]
    assert first
    assert cli.ok(name, "--help", key=False)
    assert len(COMMANDS[name].help) < 60


@pytest.mark.parametrize("path", NAMED)
def test_every_named_command_is_there(path: str) -> None:
    name, _, below = path.partition(":")
    command = command_of(name)
    assert not below or below in command.commands


def line(*words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "cueapi_cli", *words]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)


def test_help_is_the_catalogue(cli: Cli) -> None:
    assert cli.ok("--help") == overview() + "\n"
    assert all(name in overview() for name in COMMANDS)


def test_help_loads_nothing_that_is_slow() -> None:
    """What it takes, `python -m bench command_line` measures."""
    program = (
        "import sys; sys.argv = ['cueapi', '--help']\n"
        "from cueapi_cli.__main__ import main; main()\n"
        "slow = {'typer', 'rich', 'httpx', 'yaml', 'cueapi'} & {*sys.modules}\n"
        "assert not slow, slow"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert told.stdout == overview() + "\n"


def test_an_unknown_command_as_a_process() -> None:
    done = line("nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_ctrl_c_ends_with_130(cli: Cli, api: FakeApi) -> None:
    def interrupted(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    api.answers["GET /v1/cues"] = interrupted
    result = cli("list")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_version(cli: Cli) -> None:
    assert cli.ok("--version") == "cueapi 1.0.0\n"


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["list", "--json"], ["--json", "list"]),
        (["list", "--jq", ".a", "--limit", "1"], ["--jq", ".a", "list", "--limit", "1"]),
        (["get", "x", "--profile=p", "-q"], ["--profile=p", "-q", "get", "x"]),
        (["api", "GET", "--", "--json"], ["api", "GET", "--", "--json"]),
    ],
)
def test_some_options_may_stand_anywhere(words: list[str], order: list[str]) -> None:
    assert hoisted(words) == order


DOCUMENT = {"a": [{"b": 1, "c d": "x"}, {"b": None}], "n": {"m": True}}


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (".", [DOCUMENT]),
        (".n.m", [True]),
        (".a[].b", [1, None]),
        (".a[0].b", [1]),
        (".a[-1].b", [None]),
        (".a[9].b", [None]),
        ('.a[0]."c d"', ["x"]),
        (".a.b", [None]),
        (".n[]", [True]),
        (".nothing.there", [None]),
    ],
)
def test_paths(path: str, parts: list[Any]) -> None:
    assert list(picked(DOCUMENT, path)) == parts


@pytest.mark.parametrize("path", ["a", "", ".a | length", ".a[x]", ".a..b", ".a["])
def test_paths_of_another_language(path: str) -> None:
    with pytest.raises(BadPath):
        list(picked(DOCUMENT, path))
