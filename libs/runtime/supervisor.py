"""Runs the long-lived parts of one process, and ends them in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import structlog

from libs.runtime.health import Health

log = structlog.get_logger()


class Part(Protocol):
    """A loop of a process: `run` blocks until cancelled, then finishes what it has in hand."""

    name: str

    async def run(self) -> None:
        """Work until cancelled."""


def stopping() -> bool:
    """Whether the running task was told to stop; a loop asks before each round.

    The `CancelledError` alone is not enough: before Python 3.12 `asyncio.wait_for`, which clients
    of servers use, loses it when what it waits for comes at the same moment (gh-86296).
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Opened:
    """Holds a resource open as long as the process runs: entered first, left last."""

    def __init__(self, name: str, resource: AbstractAsyncContextManager[Any]) -> None:
        self.name = name
        self._resource = resource

    async def run(self) -> None:
        """Keep it open until cancelled."""
        async with self._resource:
            await asyncio.Event().wait()


async def supervise(parts: Sequence[Part], health: Health, *, grace: float) -> int:
    """Run `parts` until SIGTERM or SIGINT, or until one of them fails; give the exit code.

    1. Not ready any more. 2. Parts are cancelled last to first, each with `grace` seconds to finish
    what it has in hand. A part that returns or raises ends the process with code 1: whoever started
    it starts it again, with a clean slate.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = {asyncio.create_task(part.run(), name=part.name): part for part in parts}
    stopper = asyncio.create_task(stop.wait())
    health.accepting = True
    log.info("started", parts=[part.name for part in parts])
    done, _ = await asyncio.wait([stopper, *tasks], return_when=asyncio.FIRST_COMPLETED)
    health.accepting = False
    stopper.cancel()
    failed = _report_failures(done - {stopper})
    for task in reversed(tasks):
        await _end(task, grace)
    log.info("stopped", failed=failed)
    return 1 if failed else 0


def _report_failures(done: set[asyncio.Task[Any]]) -> bool:
    for task in done:
        error = None if task.cancelled() else task.exception()
        log.error("part ended", part=task.get_name(), exc_info=error)
    return bool(done)


async def _end(task: asyncio.Task[None], grace: float) -> None:
    if task.done():
        return
    task.cancel()
    _, pending = await asyncio.wait([task], timeout=grace)
    if pending:
        log.error("part did not stop in time", part=task.get_name(), grace=grace)
    elif not task.cancelled() and task.exception() is not None:
        log.error("part failed while stopping", part=task.get_name(), exc_info=task.exception())
