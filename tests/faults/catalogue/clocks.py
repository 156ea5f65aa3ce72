"""Faults of clocks."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local.service import Service
from tests.faults.faults import counter, restart
from tests.faults.scene import Scene, fault

HOUR = timedelta(hours=1)
_FOLDERS = ("/usr/lib", "/usr/local/lib")
_INSTALL_SECONDS = 300


@fault()
async def clock_an_hour_ahead(scene: Scene) -> None:
    """One of two schedulers and one of two dispatchers have clocks an hour ahead."""
    await _clock_off(scene, "+3600")


@fault()
async def clock_an_hour_behind(scene: Scene) -> None:
    """One of two schedulers and one of two dispatchers have clocks an hour behind."""
    await _clock_off(scene, "-3600")


async def _clock_off(scene: Scene, offset: str) -> None:
    services = scene.world.stack.services
    replicas = [scene.dice.choice(services[name]) for name in ("scheduler", "dispatcher")]
    kept = [(replica, replica._env) for replica in replicas]
    faked = {
        "LD_PRELOAD": str(libfaketime()),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    try:
        async with scene.under_load() as load:
            for replica in replicas:
                replica._env = {**replica._env, **faked}
                await restart(replica)
            await load.progress(60)
            for replica in replicas:
                off = clock_of(replica) - datetime.now(UTC)
                scene.saw(
                    f"{replica.name} is {off.total_seconds():+.0f} s off", abs(off) > HOUR / 2
                )
            fired = await counter(replicas[0], "cueapi_executions_fired_total")
            started = await counter(replicas[1], "cueapi_attempts_total")
            scene.saw(f"it fired {fired:.0f}; {started:.0f} attempts by the other", started)
    finally:
        for replica, env in kept:
            replica._env = env
            await restart(replica)
    await scene.recovered()


def clock_of(service: Service) -> datetime:
    """Read a service's clock off the last line that it has logged in its present life."""
    stamps = [json.loads(line)["timestamp"] for line in service.last_words if line[:1] == "{"]
    return datetime.fromisoformat(stamps[-1])


def libfaketime() -> Path:
    """Find the library; install it where that can be done. Raises an error that says how."""
    if (found := _find()) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(
            ["apt-get", "install", "--yes", "--quiet", "faketime"],
            check=True,
            capture_output=True,
            timeout=_INSTALL_SECONDS,
        )
        found = _find()
    if found is None:
        raise FileNotFoundError("libfaketime is not here: `sudo apt-get install faketime`")
    return found


def _find() -> Path | None:
    for folder in _FOLDERS:
        if found := sorted(Path(folder).glob("**/faketime/libfaketimeMT.so.1")):
            return found[0]
    return None
