"""Workers whose claims wait here for work, and what wakes them: the broker's notices (§16).

A notice may be lost, and work may come due without one: so who waits also looks every second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import structlog

from libs.events.envelope import Undecodable, decode
from libs.events.execution_events import ExecutionScheduled, LeaseExpired

log = structlog.get_logger()

MAKES_WORK = frozenset({ExecutionScheduled.__name__, LeaseExpired.__name__})


class About(msgspec.Struct):
    """What of a notice matters here."""

    account_id: str
    type: str


class Hint:
    """Tells one who waits that there may be work since it last looked."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def give(self) -> None:
        """Tell it."""
        self._news.set()

    async def within(self, seconds: float) -> bool:
        """Wait for a hint, for so long at most; take it."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class WaitingRoom:
    """Those who wait for work in this process, by account."""

    def __init__(self) -> None:
        self._hints: dict[str, set[Hint]] = {}

    @contextmanager
    def seat(self, account_id: str) -> Iterator[Hint]:
        """Be told of work from now on, until the block ends."""
        hint = Hint()
        self._hints.setdefault(account_id, set()).add(hint)
        try:
            yield hint
        finally:
            here = self._hints[account_id]
            here.discard(hint)
            if not here:
                del self._hints[account_id]

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts of whom somebody waits."""
        return frozenset(self._hints)

    def hear(self, body: bytes) -> None:
        """Wake those for whom the notices in a message may mean work."""
        if not self._hints:
            return
        try:
            notices = decode(body, list[About])
        except Undecodable as error:
            log.warning("a notice could not be read", error=str(error))
            return
        for account_id in {n.account_id for n in notices if n.type in MAKES_WORK}:
            for hint in self._hints.get(account_id, ()):
                hint.give()
