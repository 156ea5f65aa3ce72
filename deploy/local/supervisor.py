"""Starts again what crashed, and gives up on what keeps crashing."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from deploy.local.errors import StackError
from deploy.local.failures import of_crashes
from libs.runtime.clock import monotonic

WINDOW_SECONDS = 60.0
RESTART_WAITS = (0.1, 0.5, 1.0, 2.0, 4.0)


class Member(Protocol):
    """What is kept alive."""

    name: str

    @property
    def running(self) -> bool:
        """Whether it runs now."""

    @property
    def last_words(self) -> Iterable[str]:
        """The last lines it wrote in its present life."""

    async def start(self) -> None:
        """Start it and wait until it is ready; raises `StackError`."""

    async def died(self) -> int:
        """Wait until it ends without having been told to; return its exit code."""


def wait_before_restart(
    crashes: Sequence[float], now: float, waits: Sequence[float] = RESTART_WAITS
) -> float | None:
    """Return how many seconds to wait after the crashes at these times; None to give up.

    Each wait in `waits` is used once within a minute.
    """
    recent = sum(1 for crash in crashes if crash > now - WINDOW_SECONDS)
    return waits[recent - 1] if recent <= len(waits) else None


async def keep_alive(
    member: Member, data_dir: Path, waits: Sequence[float], tell: Callable[[str], None]
) -> NoReturn:
    """Start `member` again each time it dies, and `tell` so.

    Raises `StackError`, with its last words, when it dies too often.
    """
    crashes: list[float] = []
    while True:
        code = await member.died()
        failure = of_crashes(member.name, len(waits), code, member.last_words, data_dir)
        restarted = False
        while not restarted:
            crashes.append(monotonic())
            wait = wait_before_restart(crashes, crashes[-1], waits)
            if wait is None:
                raise failure
            tell(f"{member.name} ended with code {code}; it starts again in {wait:g} s")
            await asyncio.sleep(wait)
            try:
                # Not if somebody else has started it in the meantime.
                if not member.running:
                    await member.start()
                restarted = True
            except StackError as error:
                failure = error
