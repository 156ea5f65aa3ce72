"""What a fault of the catalogue acts on, and what it leaves behind: evidence and figures."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from deploy.local.stack import Stack
from libs.runtime.clock import monotonic
from tests.e2e.receiver import Answer
from tests.e2e.world import World
from tests.faults.load import Load
from tests.faults.stacks import BehindProxies, OnCluster, OnSmallDisk
from tests.faults.users import DELIVERY, RETRY

SETTINGS: Mapping[str, type[Stack]] = {
    "plain": Stack,
    "proxies": BehindProxies,
    "cluster": OnCluster,
    "small disk": OnSmallDisk,
}
"""The stacks that faults are done to; those with the same one share it."""


@dataclass
class Scene:
    """One fault's world, dice and findings."""

    world: World
    dice: random.Random
    evidence: list[str] = field(default_factory=list)
    recovery: float | None = None
    loads: list[Load] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.known.update(self.world.receiver.hooks)

    def saw(self, what: str, really: object) -> None:
        """Note that the fault happened; an AssertionError if it did not."""
        assert really, f"the fault did not happen: {what}"
        self.evidence.append(what)

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[Load]:
        """Have users at work in the block; at its end, all that they began must be done."""
        load = Load(self.world, await self.world.account())
        self.loads.append(load)
        async with load:
            await load.progress()
            yield load

    async def recovered(self) -> None:
        """Say that the fault is over, and measure until a new fire is delivered and reported."""
        began = monotonic()
        api = await self._newcomer()
        hook = api.hook()
        hook.answer = Answer(body={"success": True})
        cue = await api.webhook_cue(hook, retry=RETRY, delivery=DELIVERY)
        await api.when(await api.fire(cue["id"]), outcome_state="reported_success")
        self.recovery = max(self.recovery or 0.0, monotonic() - began)

    async def _newcomer(self) -> Any:
        return self.loads[-1].users.api if self.loads else await self.world.account()

    def lost(self) -> int:
        """Count the fires that were answered 2xx and never arrived anywhere."""
        return sum(len(load.unreached()) for load in self.loads)

    def doubled(self) -> int:
        """Count the executions that were taken more than once."""
        hooks = self.world.receiver.hooks
        arrivals = [each for name in hooks.keys() - self.known for each in hooks[name].arrivals]
        taken = Counter(each.execution_id for each in arrivals if each.answered == 200)
        return sum(times > 1 for times in taken.values())


@dataclass(frozen=True)
class Fault:
    """One entry of the catalogue."""

    name: str
    setting: str
    run: Callable[[Scene], Awaitable[None]]
    may_double: bool
    long: bool

    @property
    def what(self) -> str:
        """What is done, in a line."""
        return (self.run.__doc__ or "").split("\n")[0]


CATALOGUE: dict[str, Fault] = {}


def fault(
    setting: str = "plain", *, may_double: bool = False, long: bool = False
) -> Callable[[Callable[[Scene], Awaitable[None]]], Callable[[Scene], Awaitable[None]]]:
    """Put a function into the catalogue.

    `may_double` says that it loses results of POSTs that were made; `long` that it lasts minutes.
    """
    assert setting in SETTINGS

    def register(run: Callable[[Scene], Awaitable[None]]) -> Callable[[Scene], Awaitable[None]]:
        name = run.__name__
        CATALOGUE[name] = Fault(name, setting, run, may_double, long)
        return run

    return register
