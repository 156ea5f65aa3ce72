"""Published clients as processes: what goes in, what comes out."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_END_SECONDS = 90.0

_PRELUDE = """\
import json, sys
import cueapi
given = json.load(sys.stdin)
client = cueapi.CueAPI(given.pop("api_key"), base_url=given.pop("base_url"))
def refusal(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except cueapi.CueAPIError as error:
        return [type(error).__name__, error.status_code, error.code, error.message]
"""
_LAST = "\nprint(json.dumps(told, default=str))\n"


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    out: str
    err: str

    def value(self, label: str) -> str:
        """Give what stands after a label."""
        lines = [line for line in self.out.splitlines() if line.strip().startswith(f"{label}:")]
        assert lines, (label, self)
        return lines[0].partition(":")[2].strip()


def _environment(home: Path, **own: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUEAPI")}
    return {**kept, "XDG_CONFIG_HOME": str(home), "HOME": str(home), "BROWSER": "true", **own}


async def _start(argv: tuple[str, ...], env: Mapping[str, str], home: Path) -> Any:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=home
    )


async def _ended(process: asyncio.subprocess.Process, stdin: str = "") -> Ended:
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), _END_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


class CommandLine:
    """`cueapi` as one user on one machine."""

    def __init__(self, program: Path, home: Path, base: str, key: str | None) -> None:
        self.home = home
        self._program = program
        own = {"CUEAPI_API_BASE": base, "PYTHONUNBUFFERED": "1"}
        self._env = _environment(home, **own, **({"CUEAPI_API_KEY": key} if key else {}))

    async def __call__(self, *words: str, stdin: str = "") -> Ended:
        """Run a line to its end."""
        process = await self._start(*words)
        return await _ended(process, stdin)

    async def ok(self, *words: str, stdin: str = "") -> Ended:
        """Run a line that must do it."""
        ended = await self(*words, stdin=stdin)
        assert ended.code == 0, (words, ended)
        return ended

    async def refused(self, *words: str, stdin: str = "") -> str:
        """Run a line that must be refused, and give what it says of that."""
        ended = await self(*words, stdin=stdin)
        assert (ended.code, ended.err[:7]) == (1, "Error: "), (words, ended)
        return ended.err[7:].strip()

    @asynccontextmanager
    async def running(self, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a line beside the block."""
        process = await self._start(*words)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        process: asyncio.subprocess.Process = await _start(
            (str(self._program), *words), self._env, self.home
        )
        return process


class Python:
    """Programs that use the published SDK."""

    def __init__(self, program: Path, home: Path, base_url: str, key: str) -> None:
        self.base_url = base_url
        self._program = program
        self._home = home
        self._given = {"base_url": base_url, "api_key": key}

    async def __call__(self, program: str, **given: Any) -> Any:
        """Run a program with `client`, `refusal` and `given`; give what it leaves in `told`."""
        argv = (str(self._program), "-c", _PRELUDE + program + _LAST)
        process = await _start(argv, _environment(self._home), self._home)
        ended = await _ended(process, json.dumps({**self._given, **given}))
        assert ended.code == 0, ended.err
        return json.loads(ended.out)


class Daemons:
    """`cueapi-worker` with configurations of the tests'."""

    def __init__(self, program: Path, home: Path, base_url: str, key: str) -> None:
        self.config = home / "worker.yaml"
        self._program = program
        self._home = home
        self._base = {"api_base": base_url, "api_key": key, "worker_id": "published"}
        self._often = {"poll_interval": 1, "heartbeat_interval": 1}

    def configure(self, **config: Any) -> None:
        """Write the configuration; by default it polls and beats each second."""
        written = {**self._base, **self._often, **config}
        self.config.write_text(yaml.safe_dump({k: v for k, v in written.items() if v is not None}))

    async def __call__(self, *words: str, stdin: str = "", **env: str) -> Ended:
        """Run a command on the configuration to its end."""
        return await _ended(await self._begin(*words, *self._named, **env), stdin)

    async def without_config(self, *words: str, **env: str) -> Ended:
        """Run a command that takes no configuration to its end."""
        return await _ended(await self._begin(*words, **env))

    @asynccontextmanager
    async def running(self, **config: Any) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the daemon beside the block, with this configuration; it ends as it should."""
        async with self.crashing(**config) as process:
            yield process
            if process.returncode is None:
                process.terminate()
            assert await asyncio.wait_for(process.wait(), _END_SECONDS) == 0

    @asynccontextmanager
    async def crashing(self, **config: Any) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the daemon beside the block, and kill it."""
        self.configure(**config)
        process = await self._begin("start", *self._named)
        # Its pipes are read all the while: a daemon that logs into a full one stands still.
        reading = asyncio.ensure_future(process.communicate(b""))
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await reading

    @property
    def _named(self) -> tuple[str, str]:
        return ("-c", str(self.config))

    async def _begin(self, *words: str, **env: str) -> asyncio.subprocess.Process:
        process: asyncio.subprocess.Process = await _start(
            (str(self._program), *words), _environment(self._home, **env), self._home
        )
        return process
