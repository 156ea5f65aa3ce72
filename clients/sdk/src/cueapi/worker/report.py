"""Outcomes, sent until the server has them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import random
from threading import Event
from typing import Any, Protocol

from cueapi.calls import Call
from cueapi.client import CueAPI
from cueapi.errors import (
    ConflictError,
    CueAPIError,
    CueNotFoundError,
    NotOwnerError,
    ValidationError,
)
from cueapi.handling import outcome_call
from cueapi.limits import fitted
from cueapi.models.executions import RecordedOutcome
from cueapi.overriding import override
from cueapi.retries import RetryPolicy

_log = logging.getLogger("cueapi.worker")
_PATIENCE = RetryPolicy(retries=1_000, first=0.5, longest=30.0, patience=600.0)

SETTLED = (ConflictError, CueNotFoundError, NotOwnerError)


@dataclass(frozen=True)
class Report:
    """An outcome on its way: `body` as of contract nr 9."""

    execution_id: str
    body: Mapping[str, Any]


class Spool(Protocol):
    """Keeps reports over a crash. Is called from several threads."""

    def keep(self, report: Report) -> None:
        """Store a report before it is sent."""

    def drop(self, execution_id: str) -> None:
        """Forget a report: the server has it, or will never take it."""

    def left(self) -> Iterable[Report]:
        """Give the reports that an earlier process kept and did not drop."""


class NoSpool(Spool):
    """Keeps nothing: an outcome that is not sent when the process dies is lost."""

    @override
    def keep(self, report: Report) -> None:
        """Do nothing."""

    @override
    def drop(self, execution_id: str) -> None:
        """Do nothing."""

    @override
    def left(self) -> Iterable[Report]:
        """Give none."""
        return ()


class Reporter:
    """Sends reports until the server answers 2xx, 404, 409 or that another worker holds them.

    `given_up` ends the trying; what is unsent then stays in the spool.
    """

    def __init__(self, client: CueAPI, worker_id: str, spool: Spool, given_up: Event) -> None:
        self._client = client.with_options(max_retries=0)
        self._worker_id = worker_id
        self._spool = spool
        self._given_up = given_up

    def report(self, execution_id: str, body: Mapping[str, Any]) -> bool:
        """Put an outcome on record; blocks until then. False if it was given up."""
        told = {**fitted(body), "worker_id": self._worker_id}
        report = Report(execution_id, told)
        self._spool.keep(report)
        return self.send(report)

    def send(self, report: Report) -> bool:
        """Send a report that is in the spool; see `report`."""
        call = whole = outcome_call(report.execution_id, report.body)
        tries = 0
        while not self._given_up.is_set():
            tries += 1
            try:
                self._client.run(call)
            except SETTLED as error:
                _log.warning("the outcome of %s does not count: %s", report.execution_id, error)
            except ValidationError as error:
                _log.error("the outcome of %s was refused: %s", report.execution_id, error)
                if call is whole:
                    call = self._bare(report, error)
                    continue
            except CueAPIError as error:
                _log.warning("could not report on %s: %s", report.execution_id, error)
                asked = getattr(error, "retry_after", None)
                seconds = _PATIENCE.wait(tries, random(), asked)  # noqa: S311  # jitter
                self._given_up.wait(_PATIENCE.longest if seconds is None else seconds)
                continue
            self._spool.drop(report.execution_id)
            return True
        return False

    def send_left(self) -> None:
        """Send what an earlier process has left in the spool."""
        for report in self._spool.left():
            if not self.send(report):
                return

    def _bare(self, report: Report, error: ValidationError) -> Call[RecordedOutcome]:
        # Better an outcome without its evidence than none.
        told = {"success": report.body["success"], "worker_id": self._worker_id}
        note = {"_cueapi_worker": {"refused": error.message[:500]}}
        return outcome_call(report.execution_id, {**told, "metadata": note})
