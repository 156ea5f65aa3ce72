"""`python -m tests.faults.soak --seconds 180 --seed 7`: faults at random, for as long as wanted.

Kills, stops and freezes whatever runs, and wipes the broker, while users are at work; then all
must be done, and all invariants hold.
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local.processes import ManagedProcess
from libs.runtime.clock import monotonic
from tests.e2e.world import World, running
from tests.faults.conftest import REPLICAS, SHORT_LEASES
from tests.faults.faults import freeze, kill_9, restart, wipe
from tests.faults.load import Load

_LONGEST_FREEZE = 6.0
_OFTEN = (0.1,) * 60  # a soak crashes each process more often than users' computers do


class Nemesis:
    """Does one random fault after the other."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self._world = world
        self._dice = dice

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
            await asyncio.sleep(self._dice.uniform(0, 2))


async def soak(seconds: float, seed: int) -> None:
    """Run the users and the nemesis, then check."""
    with tempfile.TemporaryDirectory() as folder:
        options = {"replicas": REPLICAS, "env": SHORT_LEASES, "restart_waits": _OFTEN}
        async with running(Path(folder), **options) as world:
            load = Load(world, await world.account())
            async with load:
                await Nemesis(world, random.Random(seed)).run(seconds)
            await world.check()
            print(f"all invariants hold; {len(load.users.fired)} fires, {load.doubled()} doubled")


def main() -> None:
    """Read the arguments and soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    arguments = parser.parse_args()
    print(f"--seed {arguments.seed}")
    asyncio.run(soak(arguments.seconds, arguments.seed))


if __name__ == "__main__":
    main()
