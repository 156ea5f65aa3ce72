"""`cueapi-worker` as a process of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.client import Api

_END_SECONDS = 30.0


class Daemon:
    """A running daemon."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()

    def reload(self) -> None:
        """Have it read its configuration again."""
        self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> int:
        """Ask it to end, and give its exit code."""
        if self._process.returncode is None:
            self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), _END_SECONDS)


@asynccontextmanager
async def running_daemon(
    folder: Path, api: Api, base_url: str, **config: Any
) -> AsyncIterator[Daemon]:
    """Run a daemon with this configuration, and end it."""
    assert api.key is not None
    path = write_config(folder, **config)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cueapi_worker", "start", "-c", str(path)),
        env={**os.environ, "CUEAPI_API_KEY": api.key, "CUEAPI_BASE_URL": base_url},
        cwd=folder,
    )
    daemon = Daemon(process)
    try:
        yield daemon
    finally:
        await daemon.stop()


def write_config(folder: Path, **config: Any) -> Path:
    """Write a configuration, whose state lies in the folder too."""
    folder.mkdir(exist_ok=True)
    path = folder / "worker.yaml"
    path.write_text(yaml.safe_dump({"state_dir": str(folder / "state"), **config}))
    return path
