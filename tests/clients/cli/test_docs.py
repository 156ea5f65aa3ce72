"""docs/clients/cli.md holds: its lines are run, or at least lines that there are."""

from __future__ import annotations

import doctest
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import typer
from cueapi_cli.app import ANYWHERE, ANYWHERE_WITH_VALUE, hoisted
from cueapi_cli.catalogue import COMMANDS
from cueapi_cli.signing import body_of

from tests.clients.cli.conftest import Cli
from tests.clients.cli.fake_api import CUE, RUN, FakeApi, events, refusal
from tests.clients.cli.test_local import SECRET, Handler, attempt, healthy
from tests.clients.cli.test_running import EVENT, FIRE, FIRED, PATH

__all__ = ["healthy"]

PAGE = Path(__file__).parents[3] / "docs" / "clients" / "cli.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = [(kind, text) for kind, text in BLOCK.findall(PAGE.read_text())]
ONLY_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Shown(NamedTuple):
    """A line, and what the page says that it prints."""

    line: str
    output: str


def shown() -> Iterator[Shown]:
    for kind, text in BLOCKS:
        if kind == "console":
            for part in text.split("$ cueapi ")[1:]:
                line, _, output = part.partition("\n")
                yield Shown(line, output)


def lines() -> Iterator[str]:
    for kind, text in BLOCKS:
        if kind == "bash":
            yield from re.findall(r"cueapi (?!\|)([^|>#\n]+)", text)


@pytest.fixture
def told(healthy: FakeApi) -> FakeApi:
    """An account in which everything on the page is there."""
    times = [{"local": "2026-03-29T09:00:00+02:00", "dst": None}]
    preview = {"description": "At 09:00, every day", "next": times}
    why = {"verdict": "skipped", "summary": "It was paused then", "reason": "paused"}
    path = f"/v1/cues/{CUE['id']}"
    healthy.answers |= {
        "POST /v1/cues": CUE,
        f"PATCH {path}": CUE,
        f"DELETE {path}": httpx.Response(204),
        f"GET {path}/explain": why,
        "POST /v1/schedules/preview": preview,
        FIRE: FIRED,
        f"GET {PATH}": RUN,
        f"GET {PATH}/attempts": {"attempts": [attempt(int(time.time()), body_of(RUN, 1))]},
        f"POST {PATH}/replay": {**FIRED, "id": "7d3c"},
        "GET /v1/events/stream": lambda _: events(EVENT),
        "GET /v1/auth/webhook-secret": {"webhook_secret": SECRET},
        "POST /hook": Handler(),
        "GET /v1/cues/cue_000000000000": refusal(404, "cue_not_found", "no cue has this id"),
    }
    return healthy


@pytest.mark.parametrize("example", [*shown()], ids=lambda each: each.line[:40])
def test_a_line_prints_what_the_page_says(
    cli: Cli, told: FakeApi, example: Shown, tmp_path: Path
) -> None:
    cli.environment["TOKEN"] = "t0"
    (tmp_path / "cues.yaml").write_text(next(text for kind, text in BLOCKS if kind == "yaml"))
    if example.line != "doctor":  # which looks names up: its cue calls localhost
        told.answers["GET /v1/cues"] = {"cues": [CUE], "total": 1}
    with chdir(tmp_path):
        result = cli(*shlex.split(example.line))
    printed = result.stdout + result.stderr
    if result.exit_code:
        printed += f"(exit {result.exit_code})\n"
    same = doctest.OutputChecker().check_output(example.output, printed, ONLY_SAME)
    assert same, f"{printed}\n--- the page ---\n{example.output}"


@pytest.mark.parametrize("line", [*lines()])
def test_a_line_is_one_that_there_is(line: str) -> None:
    words = [word for word in hoisted(shlex.split(line)) if word]
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ANYWHERE_WITH_VALUE:
            words.pop(0)
        else:
            assert option in ANYWHERE
    command: Any = typer.main.get_group(
        import_module(f"cueapi_cli.commands.{COMMANDS[words[0]].module}").app
    )
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    known = {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)}
    assert {word for word in words if word.startswith("-") and word != "-"} <= known
