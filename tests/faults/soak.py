"""`python -m tests.faults --soak 30`: faults at random for as long as wanted, and a calm end.

Kills, stops and freezes whatever runs, and wipes the broker, while users are at work. In the calm
quarters before and after, the services' memory and file descriptors are measured: they must not
have grown. Then all must be done, and all invariants hold.
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from deploy.local.processes import ManagedProcess
from libs.runtime.clock import monotonic
from tests.e2e.world import World, running
from tests.faults.conftest import REPLICAS, SHORT_LEASES
from tests.faults.faults import freeze, kill_9, restart, wipe
from tests.faults.load import Load

_LONGEST_FREEZE = 6.0
_OFTEN = (0.1,) * 200  # a soak crashes each process more often than users' computers do
_CALM = 0.25
_MOST_GROWTH = 1.05
_SLACK_MIB = 4.0  # a process that has just begun is not warm
_SLACK_FILES = 10


class Nemesis:
    """Does one random fault after the other."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self._world = world
        self._dice = dice
        self.done = 0

    def faults(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Choose a victim, and list what can be done to it and to the servers."""
        stack, dice = self._world.stack, self._dice
        service = dice.choice(dice.choice(list(stack.services.values())))
        frozen: list[ManagedProcess] = [service, stack.nats, stack.postgres]
        sleeper, seconds = dice.choice(frozen), dice.uniform(0.5, _LONGEST_FREEZE)
        return [
            (f"kill -9 {service.name}", lambda: kill_9(service)),
            (f"restart {service.name}", lambda: restart(service)),
            (f"freeze {sleeper.name} {seconds:.1f} s", lambda: freeze(sleeper, seconds)),
            ("kill -9 postgres", lambda: kill_9(stack.postgres)),
            ("kill -9 nats", lambda: kill_9(stack.nats)),
            ("wipe the broker", lambda: wipe(stack.nats)),
        ]

    async def run(self, seconds: float) -> None:
        """Do harm for so long, with pauses."""
        ends_at = monotonic() + seconds
        while monotonic() < ends_at:
            name, fault = self._dice.choice(self.faults())
            print(f"{ends_at - monotonic():4.0f} s left: {name}", flush=True)
            await fault()
            self.done += 1
            await asyncio.sleep(self._dice.uniform(0, 2))


class Taken(NamedTuple):
    """What the replicas of a service take at most: resident MiB, and open files."""

    mib: float
    files: int


def taken(world: World) -> dict[str, Taken]:
    """Measure each service, its largest replica."""
    found: dict[str, Taken] = {}
    for name, replicas in world.stack.services.items():
        processes = [psutil.Process(replica.pid) for replica in replicas]
        mib = max(process.memory_info().rss for process in processes) / 2**20
        found[name] = Taken(mib, max(process.num_fds() for process in processes))
    return found


def growth(before: Mapping[str, Taken], after: Mapping[str, Taken]) -> list[str]:
    """Say which services have grown."""
    return [
        f"{name} grew from {old.mib:.1f} MiB and {old.files} files"
        f" to {after[name].mib:.1f} and {after[name].files}"
        for name, old in before.items()
        if after[name].mib > old.mib * _MOST_GROWTH + _SLACK_MIB
        or after[name].files > old.files + _SLACK_FILES
    ]


async def soak(seconds: float, seed: int) -> None:
    """Run the users and the nemesis, then check. Raises an AssertionError if something is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        options = {"replicas": REPLICAS, "env": SHORT_LEASES, "restart_waits": _OFTEN}
        async with running(Path(folder), **options) as world:
            load = Load(world, await world.account())
            nemesis = Nemesis(world, random.Random(seed))
            async with load:
                await asyncio.sleep(seconds * _CALM)
                before = taken(world)
                await nemesis.run(seconds * (1 - 2 * _CALM))
                await asyncio.sleep(seconds * _CALM)
                after = taken(world)
            await world.check()
            assert nemesis.done, "no fault happened"
            for name, now in after.items():
                old = before[name]
                print(f"{name}: {old.mib:.1f} -> {now.mib:.1f} MiB, {old.files} -> {now.files} fds")
            assert growth(before, after) == []
            fires, doubled = len(load.users.fired), len(load.doubled())
            print(f"{nemesis.done} faults, {fires} fires, {doubled} doubled; all invariants hold")
