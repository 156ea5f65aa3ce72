"""Doing harm to one process, and seeing that it was done."""

import asyncio
import os
import re
from signal import SIGKILL

import httpx
import psutil

from deploy.local.nats import LocalNats
from deploy.local.processes import ManagedProcess
from deploy.local.service import Service
from deploy.local.waiting import NO_CERTIFICATES
from tests.e2e.waiting import eventually


async def kill_9(process: ManagedProcess) -> None:
    """Kill a process as `kill -9` would, and wait until the stack has brought another up."""
    old = process.pid
    os.kill(old, SIGKILL)

    async def came_back() -> bool | None:
        return (process.up and process.pid != old) or None

    await eventually(came_back, f"{process.name} is back", 90)


async def restart(service: Service) -> None:
    """Stop a service as a rollout does, and start it again; it must end cleanly."""
    await service.stop()
    assert await service.ended() == 0, f"{service.name} did not end cleanly"
    await service.start()


async def freeze(process: ManagedProcess, seconds: float) -> None:
    """Stop a process and its children where they stand, and let them go on later."""
    process.pause()
    # Postgres' sessions leave the group of their parent.
    children = psutil.Process(process.pid).children(recursive=True)
    for child in children:
        child.suspend()
    try:
        await asyncio.sleep(seconds)
    finally:
        for child in children:
            child.resume()
        process.resume()


async def wipe(nats: LocalNats) -> None:
    """Make the broker lose everything."""
    await nats.stop()
    nats.wipe()
    await nats.start()


async def counter(service: Service, name: str) -> float:
    """Read a counter of one replica, summed over its labels; 0 before it has counted."""
    url = service.health.replace("/readyz", "/metrics")
    async with httpx.AsyncClient(verify=NO_CERTIFICATES, trust_env=False) as client:
        text = (await client.get(url)).text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))
