"""The examples of the page about the worker, run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from cueapi.worker import Worker
from cueapi_worker.__main__ import parser
from cueapi_worker.actions import ACTIONS
from cueapi_worker.commands import Commands
from cueapi_worker.config import config_of

from tests.clients.worker.jobs import ACCOUNT, context, handler

PAGE = (Path(__file__).parents[3] / "docs/clients/worker.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


LINES = [line for block in blocks("bash") for line in block.splitlines()]
COMMANDS = [line for line in LINES if line.startswith("cueapi-worker ")]


def test_the_first_file_greets() -> None:
    config = config_of(yaml.safe_load(blocks("yaml")[0]))
    greet = Commands(ACCOUNT).handler(config.handlers["greet"])
    assert greet(context(name="Ada; exit 1")).result == "hello Ada; exit 1"


def test_the_whole_file_shows_the_defaults() -> None:
    shown, default = (
        config_of(yaml.safe_load(blocks("yaml")[1])),
        config_of({"handlers": {"a": "b"}}),
    )
    for name in (
        "max_concurrent",
        "handler_timeout",
        "heartbeat_interval",
        "poll_interval",
        "drain",
    ):
        assert getattr(shown, name) == getattr(default, name), name
    assert shown.handlers["report"].cmd == ("python", "report.py", "--day={{ payload.day }}")


def test_the_outcome_file_is_written_as_shown() -> None:
    [script] = [block for block in blocks("bash") if "CUEAPI_OUTCOME_FILE" in block]
    outcome = Commands(ACCOUNT).handler(handler(script))(context())
    assert (outcome.success, outcome.result) == (True, "wrote the report")
    assert outcome.external_id == "report-7"
    assert outcome.result_url == "https://example.com/report-7"


def test_the_worker_in_python_runs() -> None:
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)
    assert isinstance(names["worker"], Worker)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_line_is_one(line: str) -> None:
    assert parser().parse_args(shlex.split(line)[1:]).command in ACTIONS


def test_the_table_names_every_command() -> None:
    table = PAGE[PAGE.index("| command |") :]
    assert all(f"`{command} " in table or f"`{command}`" in table for command in ACTIONS)
