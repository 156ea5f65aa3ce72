"""Executions: read, claim, report, judge, replay (contract §2 nr 7-16, §3, §16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cueapi.calls import Call, query
from cueapi.handling import AsyncHandling, Handling, outcome_call
from cueapi.models.executions import (
    AttemptList,
    BulkReplay,
    Claim,
    ClaimableList,
    EvidenceUpdate,
    Execution,
    ExecutionList,
    Lease,
    NewExecution,
    RecordedOutcome,
    Timeline,
    VerificationRequest,
    VerificationResult,
)
from cueapi.resource import AsyncResource, Resource, listing, operation
from cueapi.values import Instant, JsonObject, present, segment

ANSWER_SECONDS = 10.0  # on top of what a claim is asked to wait


class ExecutionCalls:
    """The calls about executions."""

    @listing
    def list(
        self,
        *,
        cue_id: str | None = None,
        status: str | None = None,
        status__in: Sequence[str] | str | None = None,
        outcome_state: str | None = None,
        triggered_by: str | None = None,
        worker_id: str | None = None,
        result_type: str | None = None,
        has_evidence: bool | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> Call[ExecutionList]:
        """List executions, newest first; going over the result fetches all pages."""
        wanted = query(
            cue_id=cue_id,
            status=status,
            status__in=status__in,
            outcome_state=outcome_state,
            triggered_by=triggered_by,
            worker_id=worker_id,
            result_type=result_type,
            has_evidence=has_evidence,
            since=since,
            until=until,
            limit=limit,
            offset=offset,
        )
        return Call("GET", "/v1/executions", ExecutionList.from_dict, query=wanted)

    @operation
    def get(self, execution_id: str, *, as_of: Instant | None = None) -> Call[Execution]:
        """Read an execution; with `as_of`, as it was at that instant."""
        wanted = query(as_of=as_of)
        return Call("GET", _execution(execution_id), Execution.from_dict, query=wanted)

    @operation
    def report_outcome(
        self,
        execution_id: str,
        *,
        success: bool,
        result: str | None = None,
        error: str | None = None,
        metadata: JsonObject | None = None,
        external_id: str | None = None,
        result_url: str | None = None,
        result_ref: str | None = None,
        result_type: str | None = None,
        summary: str | None = None,
        artifacts: Sequence[Any] | None = None,
        worker_id: str | None = None,
    ) -> Call[RecordedOutcome]:
        """Put an outcome on record; a second one raises OutcomeAlreadyRecordedError.

        With `worker_id` only the worker that holds the claim may report, else NotOwnerError.
        """
        body = present(
            success=success,
            result=result,
            error=error,
            metadata=metadata,
            external_id=external_id,
            result_url=result_url,
            result_ref=result_ref,
            result_type=result_type,
            summary=summary,
            artifacts=artifacts,
            worker_id=worker_id,
        )
        return outcome_call(execution_id, body)

    @operation
    def append_evidence(
        self,
        execution_id: str,
        *,
        external_id: str | None = None,
        result_url: str | None = None,
        result_ref: str | None = None,
        result_type: str | None = None,
        summary: str | None = None,
        artifacts: Sequence[Any] | None = None,
        metadata: JsonObject | None = None,
    ) -> Call[EvidenceUpdate]:
        """Add evidence to a recorded outcome; nothing is erased."""
        body = present(
            external_id=external_id,
            result_url=result_url,
            result_ref=result_ref,
            result_type=result_type,
            summary=summary,
            artifacts=artifacts,
            metadata=metadata,
        )
        path = f"{_execution(execution_id)}/evidence"
        return Call("PATCH", path, EvidenceUpdate.from_dict, json=body)

    @operation
    def heartbeat(self, execution_id: str, *, worker_id: str | None = None) -> Call[Lease]:
        """Extend the lease of a claimed execution."""
        body = present(worker_id=worker_id)
        return Call("POST", f"{_execution(execution_id)}/heartbeat", Lease.from_dict, json=body)

    @operation
    def mark_verification_pending(self, execution_id: str) -> Call[VerificationRequest]:
        """Ask for a judgement by hand."""
        path = f"{_execution(execution_id)}/verification-pending"
        return Call("POST", path, VerificationRequest.from_dict, json={})

    @operation
    def mark_verified(
        self, execution_id: str, *, valid: bool = True, reason: str | None = None
    ) -> Call[VerificationResult]:
        """Judge a recorded outcome by hand."""
        body = present(valid=valid, reason=reason)
        path = f"{_execution(execution_id)}/verify"
        return Call("POST", path, VerificationResult.from_dict, json=body)

    @operation
    def replay(self, execution_id: str) -> Call[NewExecution]:
        """Make a new execution with an ended one's payload."""
        path = f"{_execution(execution_id)}/replay"
        return Call("POST", path, NewExecution.from_dict, json={})

    @operation
    def replay_many(
        self,
        *,
        cue_id: str | None = None,
        status: str | None = None,
        status__in: Sequence[str] | str | None = None,
        outcome_state: str | None = None,
        triggered_by: str | None = None,
        worker_id: str | None = None,
        result_type: str | None = None,
        has_evidence: bool | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
        dry_run: bool = False,
    ) -> Call[BulkReplay]:
        """Replay the newest 1,000 ended executions that match; `dry_run` only counts them."""
        several = status__in if isinstance(status__in, str) else ",".join(status__in or ())
        body = present(
            cue_id=cue_id,
            status=status,
            status__in=several or None,
            outcome_state=outcome_state,
            triggered_by=triggered_by,
            worker_id=worker_id,
            result_type=result_type,
            has_evidence=has_evidence,
            since=since,
            until=until,
            dry_run=dry_run,
        )
        return Call("POST", "/v1/executions/replay", BulkReplay.from_dict, json=body)

    @operation
    def list_claimable(
        self, *, task: str | None = None, agent: str | None = None, limit: int | None = None
    ) -> Call[ClaimableList]:
        """List what a worker may claim now, oldest first."""
        wanted = query(task=task, agent=agent, limit=limit)
        return Call("GET", "/v1/executions/claimable", ClaimableList.from_dict, query=wanted)

    @operation
    def claim(
        self, execution_id: str, *, worker_id: str, lease_seconds: int | None = None
    ) -> Call[Claim]:
        """Claim an execution. Raises ClaimFailedError if it is taken.

        With `lease_seconds` (10 to 3,600) the lease is that long, and only heartbeats of the
        execution renew it.
        """
        body = present(worker_id=worker_id, lease_seconds=lease_seconds)
        return Call("POST", f"{_execution(execution_id)}/claim", Claim.from_dict, json=body)

    @operation
    def claim_next(
        self,
        *,
        worker_id: str,
        task: str | None = None,
        tasks: Sequence[str] | None = None,
        agent: str | None = None,
        lease_seconds: int | None = None,
        wait_seconds: int | None = None,
    ) -> Call[Claim]:
        """Claim the oldest execution that matches, waiting up to `wait_seconds` (30) for one.

        `tasks` are up to 100, of which its task must be one. Raises ClaimFailedError if there is
        none. See `claim` for `lease_seconds`.
        """
        body = present(
            worker_id=worker_id,
            task=task,
            tasks=tasks,
            agent=agent,
            lease_seconds=lease_seconds,
            wait_seconds=wait_seconds,
        )
        timeout = wait_seconds + ANSWER_SECONDS if wait_seconds else None
        path = "/v1/executions/claim"
        return Call("POST", path, Claim.from_dict, json=body, timeout=timeout)

    @operation
    def timeline(self, execution_id: str) -> Call[Timeline]:
        """Read all that happened to an execution, oldest first."""
        return Call("GET", f"{_execution(execution_id)}/timeline", Timeline.from_dict)

    @operation
    def attempts(self, execution_id: str) -> Call[AttemptList]:
        """Read an execution's delivery attempts, with what was sent and answered."""
        return Call("GET", f"{_execution(execution_id)}/attempts", AttemptList.from_dict)


class ExecutionsResource(ExecutionCalls, Resource):
    """`client.executions`."""

    def handle(self, execution_id: str, payload: Mapping[str, Any] | None = None) -> Handling:
        """Report the outcome of a `with` block: success when it ends, failure if it raises.

        In the block set `result`, `error`, and the fields of `evidence`.
        """
        return Handling(self._client.run, execution_id, payload)


class AsyncExecutionsResource(ExecutionCalls, AsyncResource):
    """`client.executions` of an async client."""

    def handle(self, execution_id: str, payload: Mapping[str, Any] | None = None) -> AsyncHandling:
        """Report the outcome of an `async with` block; see the sync one."""
        return AsyncHandling(self._client.run, execution_id, payload)


def _execution(execution_id: str) -> str:
    return f"/v1/executions/{segment(execution_id)}"
