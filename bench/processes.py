"""What the processes take: memory, and CPU when nothing happens."""

from __future__ import annotations

import asyncio

import psutil

IDLE_SECONDS = 10.0


async def idle(pids: dict[str, int]) -> dict[str, dict[str, float]]:
    """Resident MiB of each process (with its children), and its CPU in percent of one core."""
    trees = {name: _tree(pid) for name, pid in pids.items()}
    before = {name: _cpu_seconds(tree) for name, tree in trees.items()}
    await asyncio.sleep(IDLE_SECONDS)
    return {
        name: {
            "resident_mib": sum(p.memory_info().rss for p in tree) / 2**20,
            "idle_cpu_percent": (_cpu_seconds(tree) - before[name]) / IDLE_SECONDS * 100,
        }
        for name, tree in trees.items()
    }


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used of CPU so far; those that ended do not count."""
    return _cpu_seconds(_tree(pid))


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _cpu_seconds(tree: list[psutil.Process]) -> float:
    total = 0.0
    for process in tree:
        if process.is_running():
            times = process.cpu_times()
            total += times.user + times.system
    return total
