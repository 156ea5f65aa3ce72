"""One world from one seed: services, broker, users and receivers in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from libs.events.accounts import CATEGORY as ACCOUNT
from libs.events.accounts import AccountRegistered
from libs.events.base import Value
from libs.events.blobs import blob_of
from libs.events.envelope import Meta, Recorded, encode
from libs.events.memory import MemoryUnit
from libs.runtime.clock import read_from
from libs.runtime.ids import drawn_from, new_uuid
from services.dispatcher import queries as dispatcher_queries
from tests.simulation import choices
from tests.simulation.broker import Broker
from tests.simulation.engine import CALM, Clock, Faults, Killed, Process, VirtualLoop
from tests.simulation.invariants import Ended, cue_days, faults
from tests.simulation.oracle import Oracle
from tests.simulation.people import Person
from tests.simulation.receivers import Mailbox, Receiver
from tests.simulation.services import KEYRING, SERVICES, Make, Outside
from tests.simulation.statements.every import TWINS
from tests.simulation.store import Store, Twin

DAY = 86_400.0
CALM_SECONDS = 3 * 3_600.0
PLANS = ("free", "pro", "pro", "scale")


class Size(Value):
    """How large a world is: days, accounts, and the cues that each declares at first."""

    days: float = 4.0
    accounts: int = 5
    cues: int = 12


@dataclass(frozen=True)
class Parts:
    """What a world is made of; a mutant is one of these that is broken on purpose."""

    services: Mapping[str, Make] = field(default_factory=lambda: SERVICES)
    twins: Mapping[str, Twin] = field(default_factory=lambda: TWINS)
    unit: Callable[[Store], MemoryUnit] | None = None


class Seen(Value):
    """What became of a world; `faults` is what was wrong."""

    seed: int
    cue_days: float
    executions: int
    events: int
    faults: list[str]


class World:
    """A world; `run` lives it through."""

    def __init__(self, seed: int, size: Size, parts: Parts, storms: Faults) -> None:
        dice = random.Random(seed)
        self.seed = seed
        self.loop = VirtualLoop()
        self.clock = Clock(self.loop, choices.start(dice), dice, storms)
        self._size = size
        self._parts = parts
        self._broken: list[str] = []
        self.store = Store(self.clock.now, parts.twins, parts.unit)
        self.store.committed.append(self._on_commit)
        self.receiver = Receiver(self.clock)
        self.receiver.on_acknowledged = lambda attempt: self.people[attempt.facts.account_id].take(
            attempt
        )
        self._outside = Outside(self.receiver, Mailbox(self.clock))
        self._processes: dict[str, Process] = {}
        self._down_until: dict[str, float] = {}
        self.broker = Broker(self.clock, self.store, self._processes.__getitem__)
        self.people: dict[str, Person] = {}

    def run(self, trace: Callable[[str], None] | None = None) -> Seen:
        """Live it through, and look at what became of it."""
        self.clock.trace = trace
        self.loop.set_exception_handler(self._on_error)
        dispatcher_queries._KNOWN_SETTINGS.clear()
        with (
            drawn_from(self.clock.dice.randbytes),
            read_from(self.clock.unix, self.loop.time),
            _told_to(self._on_log),
        ):
            try:
                self.loop.run_until_complete(self._live())
            finally:
                self.loop.close()
        ended = Ended(
            self.store,
            Oracle(self.clock.start, self.clock.now()),
            self.broker.asked,
            self.receiver.posted,
        )
        broken = [*self._broken, *(line for p in self._processes.values() for line in p.broken)]
        return Seen(
            seed=self.seed,
            cue_days=cue_days(self.store.events, self.clock.now()),
            executions=sum(item.type == "ExecutionScheduled" for item in self.store.events),
            events=len(self.store.events),
            faults=[*broken, *faults(ended)],
        )

    async def _live(self) -> None:
        zones = choices.zones(self.clock.dice)
        for number in range(self._size.accounts):
            await self._register(number, zones)
        for name in self._parts.services:
            self._start(name)
        lives = [
            asyncio.create_task(person.live(self._size.cues)) for person in self.people.values()
        ]
        storm = asyncio.create_task(self._storm())
        await asyncio.sleep(self._size.days * DAY)
        storm.cancel()
        for task in lives:
            task.cancel()
        await self._calm_down()

    async def _register(self, number: int, zones: Sequence[str]) -> None:
        account = new_uuid()
        plan = PLANS[number % len(PLANS)]
        event = AccountRegistered(at=self.clock.now(), account_id=account, plan=plan)
        async with self.store.transaction() as unit:
            unit.record(ACCOUNT, account, account, [event], Meta(correlation_id="-", actor="-"))
        headers = encode({"Authorization": "Bearer canary"})
        sealed = KEYRING.seal(account, "callback-headers", headers)
        ref = blob_of(f"headers of {number}".encode()).sha256
        self.store.tables.setdefault("blobs", {})[account, ref] = sealed
        self.store.tables.setdefault("identities", {})[account] = {
            "email": f"user{number}@example.com",
            "email_notifications": self.clock.chance(0.9),
            "alert_webhook_url": f"https://alerts.of{number}.example.com/" if number % 2 else None,
            "sealed": KEYRING.seal(account, "webhook-secret", b"canary secret"),
            "previous_sealed": None,
            "previous_expires_at": None,
        }
        self.people[account] = Person(
            number, account, zones, ref, self.clock, self.store, self.broker
        )

    def _start(self, name: str) -> None:
        process = Process(name, self.clock, self._on_death)
        self._processes[name] = process
        self.clock.tell(f"{name} starts")
        self._parts.services[name](process, self.store, self._outside)
        for pump in process.pumps:
            pump.nudge()
        if name == "scheduler":
            self.broker.relay()

    def _on_death(self, process: Process) -> None:
        self._broken += process.broken
        back = self.loop.time() + self.clock.dice.uniform(1, 60)
        back = max(back, self._down_until.get(process.name, 0.0))
        self.loop.call_at(back, self._start_again, process.name)

    def _start_again(self, name: str) -> None:
        if not self._processes[name].alive:
            self._start(name)

    def _on_commit(self, recorded: Sequence[Recorded]) -> None:
        for item in recorded:
            self.clock.tell(f"  {item.stream_id} {item.version} {item.type} {item.event}")
            if (person := self.people.get(item.account_id)) is not None:
                person.hear(item)
        for process in self._processes.values():
            for pump in process.pumps:
                pump.notice()
        self.broker.relay()

    async def _storm(self) -> None:
        storms = self.clock.faults
        dice = self.clock.dice
        a_day = 3 * storms.outages_a_day + storms.wipes_a_day
        while a_day:
            await asyncio.sleep(dice.expovariate(a_day / DAY))
            match dice.randrange(4):
                case 0:
                    self.broker.wipe()
                case 1:
                    self._take_down(dice.choice(tuple(self._processes)), dice.uniform(60, 900))
                case 2:
                    longest = storms.longest_outage_hours * 3_600
                    self._take_down("scheduler", dice.uniform(60, longest))
                case _:
                    await self._part_down(dice.choice(("broker", "database")))

    def _take_down(self, name: str, seconds: float) -> None:
        self._down_until[name] = self.loop.time() + seconds
        self._processes[name].stop(f"an outage of {seconds:.0f} s")

    async def _part_down(self, part: str) -> None:
        self.clock.tell(f"the {part} is down")
        try:
            self.broker.up, self.clock.database_up = part != "broker", part != "database"
            await asyncio.sleep(self.clock.dice.uniform(5, 600))
        finally:
            self.broker.up = self.clock.database_up = True
            self.clock.tell(f"the {part} is up")
            self.broker.relay()

    async def _calm_down(self) -> None:
        """No more faults and wishes; all that is late has time to be made good."""
        self.clock.tell("calm")
        self.clock.faults = CALM
        self._down_until.clear()
        for person in self.people.values():
            person.resting = True
        for name in self._processes:
            self._start_again(name)
        await asyncio.sleep(CALM_SECONDS)

    def _on_error(self, _: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Killed):
            self._broken.append(f"{context['message']}: {error!r}")

    def _on_log(self, _: Any, level: str, event: dict[str, Any]) -> dict[str, Any]:
        if level in ("error", "exception", "critical"):
            self._broken.append(f"logged as {level}: {event}")
        raise structlog.DropEvent


@contextmanager
def _told_to(processor: Any) -> Iterator[None]:
    """Have the services' logs go to `processor` within the block."""
    before = structlog.get_config()
    structlog.configure(processors=[processor], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


def simulate(
    seed: int,
    size: Size | None = None,
    *,
    parts: Parts | None = None,
    storms: Faults | None = None,
    trace: Callable[[str], None] | None = None,
) -> Seen:
    """Live one world through; the same arguments give the same world."""
    world = World(seed, size or Size(), parts or Parts(), storms or Faults())
    return world.run(trace)
