"""`cueapi` as a process of its own, with a home of its own."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.client import Api, JsonObject
from tests.e2e.history import Exchange
from tests.e2e.world import World

_END_SECONDS = 90.0


@dataclass(frozen=True)
class Ended:
    """How a line ended."""

    code: int
    out: str
    err: str


class Line:
    """A line that still runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def says(self, what: str) -> str:
        """Wait until it prints a line with this in it, and give that line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_END_SECONDS):
            async for raw in self._process.stdout:
                if what in raw.decode():
                    return raw.decode().rstrip("\n")
        raise AssertionError(f"it ended without {what!r}")

    async def ended(self) -> Ended:
        """Wait for its end."""
        out, err = await asyncio.wait_for(self._process.communicate(), _END_SECONDS)
        assert self._process.returncode is not None
        return Ended(self._process.returncode, out.decode(), err.decode())

    def end(self) -> None:
        """Kill it, if it still runs."""
        if self._process.returncode is None:
            self._process.kill()


class CommandLine:
    """Runs lines as one user on one machine."""

    def __init__(self, world: World, home: Path, api: Api | None) -> None:
        self._world = world
        self._home = home
        self._api = api

    async def start(self, *words: str) -> Line:
        """Start a line."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CUEAPI")}
        environment = {
            **kept,
            "CUEAPI_BASE_URL": self._world.stack.base_url,
            "XDG_CONFIG_HOME": str(self._home),
            "PYTHONUNBUFFERED": "1",
        }
        if self._api is not None and self._api.key is not None:
            environment["CUEAPI_API_KEY"] = self._api.key
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cueapi_cli", *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=self._home,
        )
        return Line(process)

    @asynccontextmanager
    async def running(self, *words: str) -> AsyncIterator[Line]:
        """Run a line beside the block."""
        line = await self.start(*words)
        try:
            yield line
        finally:
            line.end()
            await line.ended()

    async def __call__(self, *words: str) -> Ended:
        """Run a line to its end."""
        return await (await self.start(*words)).ended()

    async def ok(self, *words: str) -> str:
        """Run a line that must do it, and give what it printed."""
        ended = await self(*words)
        assert ended.code == 0, (words, ended)
        return ended.out

    async def json(self, *words: str) -> Any:
        """Run a line, and give its answer."""
        return json.loads(await self.ok(*words, "--json"))

    def has_fired(self, fired: JsonObject) -> None:
        """Put a fire on record, so that the invariants know of it."""
        assert self._api is not None
        path = f"/v1/cues/{fired['cue_id']}/fire"
        exchange = Exchange("POST", path, {}, account=self._api.email, status=200, body=fired)
        self._world.history.exchanges.append(exchange)
