"""Commands as handlers of the SDK's worker."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Condition
from time import monotonic

from cueapi import CueAPIError
from cueapi.worker import Context, Job, Outcome

from cueapi_worker.command import Account, command_for, outcome_file, payload_file, payload_json
from cueapi_worker.handler import Handler
from cueapi_worker.outcome_file import read_outcome_file
from cueapi_worker.outcomes import outcome_of
from cueapi_worker.process import KILL_AFTER, End, StopSign, run

_log = logging.getLogger("cueapi.worker")


class Commands:
    """Runs handlers' commands, and knows whether any is running."""

    def __init__(self, account: Account, kill_after: float = KILL_AFTER) -> None:
        self._account = account
        self._kill_after = kill_after
        self._changed = Condition()
        self._running = 0

    def handler(self, handler: Handler) -> Callable[[Context], Outcome]:
        """Make a function for the worker, which runs the command of a handler."""

        def run_command(ctx: Context) -> Outcome:
            with self._changed:
                self._running += 1
            try:
                return self._run(handler, ctx)
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        return run_command

    def wait_until_none_runs(self, seconds: float) -> bool:
        """Wait until all commands have ended; false if some still run after so long."""
        deadline = monotonic() + seconds
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._running, max(0.0, deadline - monotonic())
            )

    def _run(self, handler: Handler, ctx: Context) -> Outcome:
        job = _named(ctx)
        with tempfile.TemporaryDirectory(prefix="cueapi-") as name:
            folder = Path(name)
            payload_file(folder).write_text(payload_json(job), encoding="utf-8", errors="replace")
            outcome_file(folder).touch(mode=0o600)
            end = self._end_of(handler, job, ctx, folder)
            return outcome_of(end, read_outcome_file(outcome_file(folder)))

    def _end_of(self, handler: Handler, job: Job, ctx: Context, folder: Path) -> End:
        command = command_for(handler, job, self._account, folder)
        with StopSign() as stop:
            ctx.on_lost(stop.set)
            end = run(command, handler.timeout, stop, self._kill_after)
        _log.info("%s %s: %s", handler.task, job.execution_id, end)
        return end


def _named(ctx: Context) -> Job:
    """Give the job with its cue's id and name, which the claim may not have told."""
    if ctx.job.cue_id is not None:
        return ctx.job
    try:
        execution = ctx.execution
    except (CueAPIError, RuntimeError) as error:
        _log.warning("the cue of execution %s is unknown: %s", ctx.execution_id, error)
        return ctx.job
    cue_id, cue_name = execution.get("cue_id"), execution.get("cue_name")
    return replace(ctx.job, cue_id=cue_id, cue_name=cue_name)
