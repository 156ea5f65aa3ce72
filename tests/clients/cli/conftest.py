"""The command line on a fake API, with a home of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cueapi_cli.app import app
from cueapi_cli.output import Output
from cueapi_cli.session import Session
from typer.testing import CliRunner, Result

from tests.clients.cli.fake_api import FakeApi

KEY = "cue_sk_" + "a1b2c3d4" * 4


@dataclass
class Cli:
    """Runs lines of the command line."""

    home: Path
    api: FakeApi
    environment: dict[str, str]
    terminal: bool = False
    pages: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def __call__(self, *words: str, stdin: str | None = None, key: bool = True) -> Result:
        environment = {**self.environment, **({"CUEAPI_API_KEY": KEY} if key else {})}
        session = Session(
            environment=environment,
            output=Output(terminal=self.terminal, color=False),
            transport=self.api.transport,
            browser=self._open,
            sleep=self.waited.append,
        )
        result = CliRunner().invoke(app, [*words], obj=session, input=stdin)
        assert self.api.faults == []
        return result

    def ok(self, *words: str, stdin: str | None = None, key: bool = True) -> str:
        """Run a line that must do it, and give what it printed."""
        result = self(*words, stdin=stdin, key=key)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    @property
    def saved(self) -> Mapping[str, Any]:
        """The credentials file."""
        document: dict[str, Any] = json.loads(self.credentials.read_text())
        return document

    @property
    def credentials(self) -> Path:
        return self.home / "cueapi" / "credentials.json"

    def _open(self, url: str) -> bool:
        self.pages.append(url)
        return True


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def cli(tmp_path: Path, api: FakeApi) -> Cli:
    return Cli(tmp_path, api, {"XDG_CONFIG_HOME": str(tmp_path)})
