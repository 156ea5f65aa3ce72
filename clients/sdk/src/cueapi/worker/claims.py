"""Where work comes from: long-polled claims, or polling where the server knows none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Event
from time import monotonic

from cueapi.client import CueAPI
from cueapi.errors import ClaimFailedError, CueAPIError, CueNotFoundError, ValidationError
from cueapi.models.executions import Claim, ClaimableExecution
from cueapi.models.model import parse_instant
from cueapi.worker.job import Job

_log = logging.getLogger("cueapi.worker")

ANY_TASK = "*"
MOST_TASKS = 100  # that one claim may name
_UNKNOWN_ROUTE = frozenset({404, 405})


class Claims:
    """Claims executions for one worker. `stopping` ends its waits between polls."""

    def __init__(
        self,
        client: CueAPI,
        worker_id: str,
        *,
        lease_seconds: int,
        poll_interval: float,
        stopping: Event,
    ) -> None:
        self._executions = client.executions
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._poll_interval = poll_interval
        self._stopping = stopping
        self._polls = False
        self._names_several = True

    @property
    def at_once(self) -> int:
        """How many tasks one claim may wait for."""
        return MOST_TASKS if self._names_several and not self._polls else 1

    def next(self, tasks: Sequence[str], wait_seconds: int) -> Job | None:
        """Claim the oldest execution of these tasks, waiting so long for one; None without.

        Raises CueAPIError when the server does not answer as it should.
        """
        began = monotonic()
        job = self._poll(tasks) if self._polls else self._claim_next(tasks, wait_seconds)
        # An older server, or one that polls, does not wait: then the waiting is ours.
        if job is None and wait_seconds and monotonic() - began < wait_seconds / 2:
            self._stopping.wait(min(self._poll_interval, wait_seconds))
        return job

    def _claim_next(self, tasks: Sequence[str], wait_seconds: int) -> Job | None:
        one = tasks[0] if len(tasks) == 1 and ANY_TASK not in tasks else None
        try:
            claim = self._executions.claim_next(
                worker_id=self._worker_id,
                task=one,
                tasks=[*tasks] if len(tasks) > 1 else None,
                lease_seconds=self._lease_seconds,
                wait_seconds=wait_seconds or None,
            )
        except ClaimFailedError:
            return None
        except ValidationError as error:
            if len(tasks) == 1:
                raise
            return self._one_at_a_time(tasks, str(error))
        except CueNotFoundError as error:
            return self._fall_back(tasks, error)
        except CueAPIError as error:
            if error.status_code not in _UNKNOWN_ROUTE:
                raise
            return self._fall_back(tasks, error)
        job = self._job(claim)
        if ANY_TASK not in tasks and job.task not in tasks:
            # Its lease runs out, and who has a handler takes it up.
            return self._one_at_a_time(tasks, f"it gave {job.execution_id}, which is {job.task!r}")
        return job

    def _one_at_a_time(self, tasks: Sequence[str], why: str) -> Job | None:
        _log.info("the server takes no list of tasks (%s): waiting for each by itself", why)
        self._names_several = False
        return self._first(tasks)

    def _first(self, tasks: Sequence[str]) -> Job | None:
        return next(filter(None, (self.next([task], 0) for task in tasks)), None)

    def _fall_back(self, tasks: Sequence[str], error: CueAPIError) -> Job | None:
        _log.info("the server has no claim-next (%s): polling for work instead", error)
        self._polls = True
        return self._first(tasks)

    def _poll(self, tasks: Sequence[str]) -> Job | None:
        (task,) = tasks
        wanted = None if task == ANY_TASK else task
        for found in self._executions.list_claimable(task=wanted).executions:
            try:
                claim = self._executions.claim(
                    found.execution_id,
                    worker_id=self._worker_id,
                    lease_seconds=self._lease_seconds,
                )
            except (ClaimFailedError, CueNotFoundError):
                continue
            return self._job(claim, found)
        return None

    def _job(self, claim: Claim, found: ClaimableExecution | None = None) -> Job:
        known = found.to_dict() if found is not None else {}
        # An older server does not say with the claim what it is about.
        told = known | {name: value for name, value in claim.to_dict().items() if value is not None}
        due = told.get("scheduled_for")
        return Job(
            execution_id=told["execution_id"],
            payload=told["payload"],
            task=told["payload"].get("task"),
            attempt=told["attempt"],
            lease_seconds=float(told["lease_seconds"]),
            cue_id=told.get("cue_id"),
            cue_name=told.get("cue_name"),
            scheduled_for=None if due is None else parse_instant(due),
        )
