"""Stopping between two steps of work, never within one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")


async def to_its_end(step: Coroutine[Any, Any, T]) -> T:
    """Await one step of work. When cancelled meanwhile, let it come to its end before raising.

    For what must not be left half done: a transaction that may have committed, whose effects are
    then still to come. A second cancellation does not wait.
    """
    task = asyncio.create_task(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                log.warning("the last step has failed", error=repr(error))
        raise
