"""`cueapi-admin` as an operator runs it: a process of its own, on the test's database."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, NamedTuple

SECRET = "a secret of at least 32 characters"
SECONDS = 60.0


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What it printed, as lines of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


class Admin:
    """Runs commands against a database; `env` goes over the environment."""

    def __init__(self, url: str, **env: str) -> None:
        self._env = {"DATABASE_URL": url, "SESSION_SECRET": SECRET, **env}

    async def __call__(self, *arguments: str, answer: str = "") -> Ended:
        """Run one command; `answer` is typed into it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.admin",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.defpath, "COLUMNS": "100", **self._env},
        )
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate(answer.encode())
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command that succeeds, with `--json`; give what it prints."""
        ended = await self(*arguments, "--json")
        assert ended.code == 0, ended
        return ended.rows
