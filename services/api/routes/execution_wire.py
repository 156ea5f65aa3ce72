"""How an execution is answered (contract §2 "Execution"): every key, always."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from libs.events.execution_rows import (
    outcome_state,
    status,
)
from libs.events.executions import Claimed, Execution, Facts, Outcome, Retrying, Succeeded
from services.api.queries.executions import ExecutionRow
from services.api.routes.cue_wire import CueWire
from services.api.routes.wire import (
    EMPTY_OBJECT,
    NULL,
    AnyListOrNull,
    AnyObject,
    AnyObjectOrNull,
    Timestamp,
    Wire,
    trace_id_of,
)
from services.api.rules.outcomes import summary_with_rejection
from services.api.rules.timestamps import wire_time, wire_time_or_none


class OutcomeWire(Wire):
    """The recorded outcome."""

    success: bool
    result: str | None
    error: str | None
    metadata: AnyObjectOrNull
    recorded_at: Timestamp
    source: str
    external_id: str | None
    result_url: str | None
    result_ref: str | None
    result_type: str | None
    summary: str | None
    artifacts: AnyListOrNull
    evidence_metadata: AnyObjectOrNull
    validation_state: str | None


class ExecutionWire(Wire):
    """One run of a cue."""

    id: str
    cue_id: str
    cue_name: str
    transport: str
    status: str
    triggered_by: str
    replayed_from: str | None
    scheduled_for: Timestamp
    payload: AnyObject
    attempts: int
    http_status: int | None
    response_body: str | None
    error_message: str | None
    next_retry: Timestamp | None
    started_at: Timestamp | None
    delivered_at: Timestamp | None
    last_attempt_at: Timestamp | None
    outcome_deadline_at: Timestamp | None
    claimed_by_worker: str | None
    claimed_at: Timestamp | None
    last_heartbeat_at: Timestamp | None
    lease_expires_at: Timestamp | None
    outcome_state: str | None
    outcome_success: bool | None
    outcome: OutcomeWire | None
    trace_id: str | None
    created_at: Timestamp
    updated_at: Timestamp


class ExecutionListWire(Wire):
    """A page of executions."""

    executions: list[ExecutionWire]
    total: int
    limit: int
    offset: int
    has_more: bool
    oldest_claimed_at: Timestamp | None


class CueWithExecutionsWire(CueWire):
    """A cue and a page of its executions, newest first."""

    executions: list[ExecutionWire]
    execution_total: int
    execution_limit: int
    execution_offset: int


class Details(msgspec.Struct, frozen=True):
    """The stored document of an outcome; see `rules.outcomes`."""

    result: str | None = None
    error: str | None = None
    metadata: msgspec.Raw = NULL
    external_id: str | None = None
    result_url: str | None = None
    result_ref: str | None = None
    result_type: str | None = None
    summary: str | None = None
    artifacts: msgspec.Raw = NULL
    evidence_metadata: msgspec.Raw = NULL


_DETAILS = msgspec.json.Decoder(Details)


def refs_of(execution: Execution) -> list[str | None]:
    """The blobs which `execution_wire` needs whole."""
    facts = execution.facts
    return [facts.payload.sha256, facts.outcome.report.details_ref if facts.outcome else None]


def head_of(execution: Execution) -> str | None:
    """The blob of which `execution_wire` shows the beginning."""
    return execution.facts.response_ref


def execution_wire(row: ExecutionRow, blobs: Mapping[str, bytes]) -> ExecutionWire:
    """Tell an execution; `blobs` by their references."""
    execution = row.execution
    facts = execution.facts
    payload = blobs.get(facts.payload.sha256 or "")
    response = blobs.get(facts.response_ref or "")
    return ExecutionWire(
        id=facts.id,
        cue_id=facts.cue_id,
        cue_name=row.cue_name,
        transport=facts.transport.value,
        status=status(execution),
        triggered_by=facts.triggered_by,
        replayed_from=facts.replayed_from,
        scheduled_for=wire_time(facts.scheduled_for),
        payload=msgspec.Raw(payload) if payload else EMPTY_OBJECT,
        attempts=facts.attempts,
        http_status=facts.http_status,
        response_body=response.decode("utf-8", "replace")[:2_000] if response else None,
        error_message=facts.error_message,
        next_retry=_when(execution.due_at) if isinstance(execution, Retrying) else None,
        started_at=_when(facts.started_at),
        delivered_at=_when(facts.delivered_at),
        last_attempt_at=_when(facts.last_attempt_at),
        **_claim(execution),
        outcome_deadline_at=_when(_outcome_deadline(execution)),
        outcome_state=outcome_state(facts),
        outcome_success=outcome_success(facts),
        outcome=_outcome(facts.outcome, blobs) if facts.outcome else None,
        trace_id=trace_id_of(facts.traceparent),
        created_at=wire_time(facts.created_at),
        updated_at=wire_time(facts.updated_at),
    )


def outcome_success(facts: Facts) -> bool | None:
    """The reported value; false after a deadline, None before either."""
    if facts.outcome is not None:
        return facts.outcome.report.success
    return False if facts.outcome_missed else None


def _claim(execution: Execution) -> dict[str, Any]:
    facts = execution.facts
    held = execution if isinstance(execution, Claimed) else None
    return {
        "claimed_by_worker": facts.last_worker if facts.claimed_at else None,
        "claimed_at": _when(facts.claimed_at),
        "last_heartbeat_at": _when(held.last_heartbeat_at) if held else None,
        "lease_expires_at": _when(held.lease_until) if held else None,
    }


def _outcome_deadline(execution: Execution) -> datetime | None:
    if isinstance(execution, Succeeded) and execution.facts.outcome is None:
        return execution.outcome_deadline_at
    return None


def _outcome(outcome: Outcome, blobs: Mapping[str, bytes]) -> OutcomeWire:
    report = outcome.report
    stored = blobs.get(report.details_ref or "")
    details = _DETAILS.decode(stored) if stored else Details()
    return OutcomeWire(
        success=report.success,
        result=details.result,
        error=details.error,
        metadata=details.metadata,
        recorded_at=wire_time(outcome.recorded_at),
        source=outcome.source,
        external_id=details.external_id,
        result_url=details.result_url,
        result_ref=details.result_ref,
        result_type=report.result_type,
        summary=summary_with_rejection(details.summary, outcome.rejection),
        artifacts=details.artifacts,
        evidence_metadata=details.evidence_metadata,
        validation_state=outcome.validation,
    )


_when = wire_time_or_none
