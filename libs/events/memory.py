"""The log in memory: the twin of `PostgresLog` for tests and simulations.

It keeps the same promises: streams are locked one by one, what a transaction writes is seen when
its block ends and not before, and what Postgres forbids by a constraint is a `Conflict` here too.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Self
from weakref import WeakValueDictionary

from libs.events.base import Value
from libs.events.counters import Usage, activity_rows, earliest, usage
from libs.events.envelope import Recorded
from libs.events.streams import CATEGORIES
from libs.events.unit import Held, StoredResult, StreamKey, Unit
from libs.runtime.postgres import Conflict

LOCK_SECONDS = 5.0
KEY_LIFE = timedelta(hours=24)

Unique = tuple[Any, ...]
"""A value that only one row may have: the constraint's name, and the columns' values."""


class Kept(Value):
    """A stored result, and when it was stored."""

    at: datetime
    result: StoredResult


Step = Callable[[str], Awaitable[None]]
"""Awaited before each step of a transaction, by the step's name: it may let time pass, or raise."""

SEARCHED = {
    "cue": ("next_run",),
    "execution": ("delivery_due_at", "outcome_due_at", "claimable_at"),
}
"""The columns by which due rows are found; `MemoryLog.searched` holds those that are not null."""


async def _at_once(_: str) -> None:
    return


class MemoryLog:
    """The log in its memory form. `clock` gives the transactions' `now`, in UTC.

    `events` are in commit order; `usage` is by account and month, `activity` by cue. `committed`
    is called with what each transaction recorded, after its commit. `members` holds, by category
    and by cue (cues: by account), the keys of what was born there, in order.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.step: Step = _at_once
        self.committed: list[Callable[[Sequence[Recorded]], None]] = []
        self.members: dict[tuple[str, str], list[str]] = {}
        self.searched: dict[tuple[str, str], dict[str, datetime]] = {
            (category, column): {} for category, columns in SEARCHED.items() for column in columns
        }
        self.events: list[Recorded] = []
        self.streams: dict[StreamKey, Held] = {}
        self.results: dict[str, Kept] = {}
        self.usage: dict[tuple[str, date], Usage] = {}
        self.activity: dict[str, dict[str, Any]] = {}
        self.unique: dict[Unique, StreamKey | str] = {}
        self.locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def through(self, step: Step) -> Self:
        """Give the same log for one process, whose steps go through `step`."""
        log = copy.copy(self)
        log.step = step
        return log

    def unit(self) -> MemoryUnit:
        """Make a unit of work, which `transaction` opens."""
        return MemoryUnit(self)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryUnit]:
        """Open a unit of work; its events, rows and replies are seen together when the block ends.

        Raises `Conflict` when another transaction was first: decide again.
        """
        await self.step("begin")
        unit = self.unit()
        try:
            yield unit
            await self.step("commit")
            unit.flush()
        finally:
            unit.release()
        for tell in self.committed:
            tell(unit.recorded)
        await self.step("committed")

    def rows(self, category: str) -> dict[str, dict[str, Any]]:
        """Give the rows of a category, by key, as its table would hold them."""
        row = CATEGORIES[category].row
        return {
            key: {**row(held.state), "version": held.version}
            for (kind, key), held in self.streams.items()
            if kind == category
        }


class MemoryUnit(Unit):
    """A unit of work on a `MemoryLog`."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__(log.clock())
        self._log = log
        self._locked: dict[tuple[str, str], asyncio.Lock] = {}

    async def take(self, category: str, key: str) -> Held | None:
        """Lock a stream's row and hold its state, unless another transaction has it."""
        if not await self.seize((category, key)):
            return None
        held = self._held.get((category, key)) or self._log.streams[category, key]
        self._held[category, key] = held
        return held

    async def seize(self, name: tuple[str, str]) -> bool:
        """Take a lock if nobody else has it; say whether."""
        lock = self._log.locks.get(name)
        if name not in self._locked and lock is not None and lock.locked():
            return False
        await self.acquire(name)
        return True

    async def lock(self, category: str, keys: Iterable[str]) -> None:
        """Read and lock these streams, in id order; the ones that do not exist are left out.

        Raises `Conflict` when a lock cannot be had in time.
        """
        await self._log.step("lock")
        for key in sorted({key for key in keys if self.version(category, key) == 0}):
            if (category, key) in self._log.streams:
                await self.acquire((category, key))
                held = self._log.streams[category, key]
                self.hold(category, key, held.version, held.state)

    async def stored_results(
        self, command_ids: Sequence[str], keys: Sequence[tuple[str, str]]
    ) -> list[StoredResult]:
        """Find replies kept under these command ids, or (account, idempotency key) pairs.

        Keys are locked first, so that of two commands with one key the second sees the first.
        """
        for account_id, key in sorted(set(keys)):
            await self.acquire((f"key of {account_id}", key))
        ids = set(command_ids)
        for pair in keys:
            kept = self._kept_under(pair)
            if kept is not None and kept.at > self.now - KEY_LIFE:
                ids.add(kept.result.command_id)
        return [self._log.results[id_].result for id_ in sorted(ids & self._log.results.keys())]

    def flush(self) -> None:
        """Make what was recorded seen, all of it or nothing. Raises `Conflict`."""
        log = self._log
        freed, taken = self._claims()
        for claim, owner in taken.items():
            if log.unique.get(claim, owner) != owner and claim not in freed:
                raise Conflict(f"another has {claim}")
        for name in self._born:
            if name in log.streams:
                raise Conflict(f"the stream {name} has begun")
        for result in self.results:
            if result.command_id in log.results:
                raise Conflict(f"the command {result.command_id} has its reply")
        for claim in freed:
            del log.unique[claim]
        log.unique.update(taken)
        log.events += self.recorded
        self._index()
        log.streams.update({name: self._held[name] for name in self._changed})
        log.results.update({r.command_id: Kept(at=self.now, result=r) for r in self.results})
        self._count()

    def release(self) -> None:
        """Let go of every lock."""
        for lock in self._locked.values():
            lock.release()
        self._locked.clear()

    async def acquire(self, name: tuple[str, str]) -> None:
        """Take a lock until the end. Raises `Conflict` when it cannot be had in time."""
        if name in self._locked:
            return
        lock = self._log.locks.setdefault(name, asyncio.Lock())
        if lock.locked():
            try:
                async with asyncio.timeout(LOCK_SECONDS):
                    await lock.acquire()
            except TimeoutError as error:
                raise Conflict(f"another transaction holds {name}") from error
        else:
            await lock.acquire()
        self._locked[name] = lock

    def _index(self) -> None:
        """Keep what searches go by: due times, and the members of each cue and account."""
        for name in sorted(self._changed):
            category, key = name
            row = CATEGORIES[category].row(self._held[name].state)
            for column in SEARCHED.get(category, ()):
                due = self._log.searched[category, column]
                if row[column] is None:
                    due.pop(key, None)
                else:
                    due[key] = row[column]
            if name in self._born:
                owner = row.get("cue_id", row["account_id"])
                self._log.members.setdefault((category, owner), []).append(key)

    def _kept_under(self, pair: tuple[str, str]) -> Kept | None:
        owner = self._log.unique.get(("idempotency key", *pair))
        return self._log.results[owner] if isinstance(owner, str) else None

    def _claims(self) -> tuple[set[Unique], Mapping[Unique, StreamKey | str]]:
        """What this transaction gives up of the unique values, and what it takes."""
        freed: set[Unique] = set()
        taken: dict[Unique, StreamKey | str] = {}
        for name in self._changed:
            if (before := self._log.streams.get(name)) is not None:
                freed |= _unique(name[0], before.state)
            for claim in _unique(name[0], self._held[name].state):
                if taken.setdefault(claim, name) != name:
                    raise Conflict(f"two in this transaction want {claim}")
        for result in self.results:
            if result.idempotency_key is not None:
                pair = (result.account_id, result.idempotency_key)
                kept = self._kept_under(pair)
                if kept is not None and kept.at <= self.now - KEY_LIFE:
                    freed.add(("idempotency key", *pair))
                taken["idempotency key", *pair] = result.command_id
        return freed, taken

    def _count(self) -> None:
        log = self._log
        for part in usage((item.account_id, item.event) for item in self.recorded):
            name = (part.account_id, part.period)
            before = log.usage.get(name, Usage(account_id=name[0], period=name[1], executions=0))
            log.usage[name] = Usage(
                account_id=part.account_id,
                period=part.period,
                executions=before.executions + part.executions,
                grace_started_at=earliest(before.grace_started_at, part.grace_started_at),
            )
        for row in activity_rows(self.activity):
            seen = log.activity.setdefault(row["cue_id"], {**row, "run_count": 0, "last_run": None})
            seen["run_count"] += row["run_count"]
            ends = [at for at in (seen["last_run"], row["last_run"]) if at is not None]
            seen["last_run"] = max(ends, default=None)


def _unique(category: str, state: Any) -> set[Unique]:
    """The values of a row that no other row may have; the unique indexes of the schema."""
    row = CATEGORIES[category].row(state)
    match category:
        case "cue" if row["status"] != "deleted":
            return {("name", row["account_id"], row["name"])}
        case "execution" if row["triggered_by"] in ("scheduled", "catch_up"):
            return {("slot", row["cue_id"], row["scheduled_for"])}
        case "alert":
            return {("episode", row["cue_id"], row["kind"], row["episode"])}
        case _:
            return set()
