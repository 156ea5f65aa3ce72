"""A user's function as a handler: called with what it asks for, its end read as an outcome."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import CancelledError
from functools import cached_property
from threading import Lock, Thread
from typing import Any

from cueapi.outcome import Outcome, Retry, outcome_of, outcome_of_exception
from cueapi.worker.context import Context

_CONTEXT_NAMES = frozenset({"ctx", "context"})


class Handler:
    """Runs one function for one task.

    A parameter called `ctx` or `context`, or annotated with Context, gets the context; any other
    gets the payload. At most `concurrency` runs go on at once. Raises TypeError for a function
    with more than these two parameters.
    """

    def __init__(
        self, task: str, function: Callable[..., Any], concurrency: int | None = None
    ) -> None:
        self.task = task
        self.function = function
        self.concurrency = concurrency
        self._asks = [_is_context(each) for each in _parameters(function)]
        if len(self._asks) > 2 or sum(self._asks) > 1:
            raise TypeError(f"the handler of {task!r} takes a payload, a ctx, or both")

    def run(self, ctx: Context, loop: LoopThread) -> Outcome | Retry:
        """Run to the end; async functions on the loop. Never raises.

        Async functions are cancelled when the lease is lost.
        """
        arguments = [ctx if wants_context else ctx.payload for wants_context in self._asks]
        try:
            returned = self.function(*arguments)
            if inspect.iscoroutine(returned):
                returned = loop.run(returned, ctx)
        except (Exception, CancelledError, SystemExit) as raised:
            verdict = outcome_of_exception(raised)
        else:
            verdict = outcome_of(returned)
        if isinstance(verdict, Outcome) and ctx.collected:
            return verdict.with_evidence(ctx.collected)
        return verdict


class LoopThread:
    """An event loop in a thread of its own, which starts when it is first needed.

    It is only for handlers, so that one which blocks it holds up nothing else.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    def run(self, coroutine: Coroutine[Any, Any, Any], ctx: Context) -> Any:
        """Run a coroutine and wait for it. Raises what it raises; CancelledError if lost."""
        with self._lock:
            loop = self._loop
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        ctx.on_lost(future.cancel)
        return future.result()

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        Thread(target=loop.run_forever, name="cueapi-async-handlers", daemon=True).start()
        return loop


def _parameters(function: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = inspect.signature(function).parameters.values()
    return [each for each in taken if each.kind in positional and each.default is each.empty]


def _is_context(parameter: inspect.Parameter) -> bool:
    annotated = parameter.annotation is Context or str(parameter.annotation).endswith("Context")
    return annotated or parameter.name in _CONTEXT_NAMES
