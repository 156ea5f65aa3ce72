"""Where work comes from: long-polled claims, or polling where the server knows none."""

from __future__ import annotations

import logging
from threading import Event
from time import monotonic
from typing import Any

from cueapi.client import CueAPI
from cueapi.errors import ClaimFailedError, CueAPIError, CueNotFoundError
from cueapi.worker.job import Job

_log = logging.getLogger("cueapi.worker")

ANY_TASK = "*"
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

    def next(self, task: str, wait_seconds: int) -> Job | None:
        """Claim the oldest execution of a task, waiting so long for one; None if there is none.

        Raises CueAPIError when the server does not answer as it should.
        """
        began = monotonic()
        job = self._poll(task) if self._polls else self._claim_next(task, wait_seconds)
        # An older server, or one that polls, does not wait: then the waiting is ours.
        if job is None and wait_seconds and monotonic() - began < wait_seconds / 2:
            self._stopping.wait(min(self._poll_interval, wait_seconds))
        return job

    def _claim_next(self, task: str, wait_seconds: int) -> Job | None:
        try:
            claim = self._executions.claim_next(
                worker_id=self._worker_id,
                task=None if task == ANY_TASK else task,
                lease_seconds=self._lease_seconds,
                wait_seconds=wait_seconds or None,
            )
        except ClaimFailedError:
            return None
        except CueNotFoundError as error:
            return self._fall_back(task, error)
        except CueAPIError as error:
            if error.status_code not in _UNKNOWN_ROUTE:
                raise
            return self._fall_back(task, error)
        return self._job(claim, task)

    def _fall_back(self, task: str, error: CueAPIError) -> Job | None:
        _log.info("the server has no claim-next (%s): polling for work instead", error)
        self._polls = True
        return self._poll(task)

    def _poll(self, task: str) -> Job | None:
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
            job = self._job({**found.to_dict(), **claim.to_dict()}, task)
            job.cue_id, job.cue_name = found.cue_id, found.cue_name
            return job
        return None

    def _job(self, claim: Any, task: str) -> Job:
        payload = claim["payload"]
        return Job(
            execution_id=claim["execution_id"],
            payload=payload,
            task=payload.get("task") if task == ANY_TASK else task,
            attempt=claim["attempt"],
            lease_seconds=float(claim["lease_seconds"]),
        )
