"""Answering calls: commands that nothing records, done at once by whichever replica hears them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from libs.events.base import Command
from libs.events.envelope import Reply, encode

log = structlog.get_logger()

Answer = Callable[[bytes], Coroutine[Any, Any, bytes]]


class Answering:
    """Answers the calls of one kind, each in a task of its own; `answer` bounds how many wait."""

    def __init__(self, kind: type[Command], answer: Answer) -> None:
        self._kind = kind
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, message: Msg) -> None:
        """Begin to answer a call."""
        task = asyncio.create_task(self._respond(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cut short what is being answered: who asked is told that nobody could do it now."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _respond(self, message: Msg) -> None:
        body = encode(Reply(command_id="", unavailable=True))
        try:
            body = await self._answer(message.data)
        except Exception:
            log.exception("a call failed", command=self._kind.__name__)
        finally:
            with suppress(NatsError):  # who asked has its own deadline
                await message.respond(body)
