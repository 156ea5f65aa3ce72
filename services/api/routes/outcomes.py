"""Outcomes: report, add evidence, verify (contract §2 nr 9, 10, 13, 14)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from libs.events.answers import OutcomeAnswer
from libs.events.blobs import Blob, blob_of
from libs.events.bus import Refused
from libs.events.evidence import ARTIFACTS_BYTES, METADATA_BYTES, evidence_in
from libs.events.execution_commands import (
    AppendEvidence,
    ReportOutcome,
    RequestVerification,
    VerifyOutcome,
)
from libs.events.executions import Report
from services.api.errors import ApiError, Detail, ShapeError
from services.api.routes.call import Call
from services.api.routes.execution_models import EvidenceBody, OutcomeBody, VerifyBody
from services.api.routes.finding import after_finding, execution_id_of, execution_of
from services.api.routes.intake import worker_header
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import NoFields, NoQuery
from services.api.routes.storing import measured
from services.api.routes.wire import Wire
from services.api.rules.json_text import compact
from services.api.rules.outcomes import document_of
from services.api.tables import blobs

outcomes = Operations("Outcomes")


class ReportedWire(Wire):
    """An outcome was recorded; `reason` names what verification missed."""

    execution_id: str
    outcome_recorded: bool
    outcome_state: str
    outcome_success: bool
    status: str
    reason: str | None


class EvidenceWire(Wire):
    """Evidence was added."""

    execution_id: str
    outcome_state: str
    outcome_success: bool
    evidence_updated: bool


class VerifiedWire(Wire):
    """An outcome was judged."""

    execution_id: str
    outcome_state: str
    valid: bool
    reason: str | None


class VerificationPendingWire(Wire):
    """A judgement was asked for."""

    execution_id: str
    outcome_state: str


@outcomes.add(
    "POST",
    "/v1/executions/{execution_id}/outcome",
    body=OutcomeBody,
    query=NoQuery,
    answers={200: ReportedWire},
    codes=(
        "execution_not_found",
        "metadata_too_large",
        "not_execution_owner",
        "outcome_already_recorded",
    ),
)
async def report_outcome(call: Call[OutcomeBody, NoQuery]) -> Response:
    """Put an outcome on record; the first one stands."""
    execution_id, body = execution_id_of(call), call.body
    async with after_finding(lambda: execution_of(call)):
        _measure(body)
    document = document_of(body.model_dump(exclude_none=True))
    details = _blob(document)
    await blobs.store(call.ports.store, call.account_id, [details])
    report = Report(
        success=body.success,
        details_ref=details.sha256 if details else None,
        evidence=evidence_in(document),
        result_type=document.get("result_type"),
    )
    command = ReportOutcome(
        account_id=call.account_id,
        execution_id=execution_id,
        report=report,
        worker_id=body.worker_id or worker_header(call.request),
    )
    recorded, _ = await call.ask(command, OutcomeAnswer)
    return answer(
        ReportedWire(
            execution_id=recorded.execution_id,
            outcome_recorded=True,
            outcome_state=recorded.outcome_state,
            outcome_success=recorded.outcome_success,
            status=recorded.status,
            reason=recorded.reason,
        )
    )


@outcomes.add(
    "PATCH",
    "/v1/executions/{execution_id}/evidence",
    body=EvidenceBody,
    query=NoQuery,
    answers={200: EvidenceWire},
    codes=("execution_not_found", "metadata_too_large", "no_fields", "no_outcome"),
)
async def append_evidence(call: Call[EvidenceBody, NoQuery]) -> Response:
    """Add evidence to a recorded outcome; nothing is erased."""
    execution_id, body = execution_id_of(call), call.body
    async with after_finding(lambda: execution_of(call)):
        _measure(body)
        document = document_of(body.model_dump(exclude_none=True))
        if not document:
            raise ApiError("no_fields", "there is nothing to add")
    details = blob_of(compact(document))
    await blobs.store(call.ports.store, call.account_id, [details])
    command = AppendEvidence(
        account_id=call.account_id,
        execution_id=execution_id,
        details_ref=details.sha256,
        evidence=evidence_in(document),
        result_type=document.get("result_type"),
    )
    try:
        updated, _ = await call.ask(command, OutcomeAnswer)
    except Refused as refused:
        if refused.rejection.code != "validation_error":
            raise
        # Only artifacts, with those that are there, can be too many for a body in shape.
        raise ShapeError([Detail("body.artifacts", refused.rejection.message)]) from refused
    return answer(
        EvidenceWire(
            execution_id=updated.execution_id,
            outcome_state=updated.outcome_state,
            outcome_success=updated.outcome_success,
            evidence_updated=True,
        )
    )


@outcomes.add(
    "POST",
    "/v1/executions/{execution_id}/verify",
    body=VerifyBody,
    query=NoQuery,
    answers={200: VerifiedWire},
    codes=("execution_not_found", "invalid_state"),
)
async def verify_outcome(call: Call[VerifyBody, NoQuery]) -> Response:
    """Judge a recorded outcome by hand."""
    command = VerifyOutcome(
        account_id=call.account_id,
        execution_id=execution_id_of(call),
        valid=call.body.valid,
        reason=call.body.reason,
    )
    judged, _ = await call.ask(command, OutcomeAnswer)
    return answer(
        VerifiedWire(
            execution_id=judged.execution_id,
            outcome_state=judged.outcome_state,
            valid=call.body.valid,
            reason=call.body.reason,
        )
    )


@outcomes.add(
    "POST",
    "/v1/executions/{execution_id}/verification-pending",
    body=NoFields,
    query=NoQuery,
    answers={200: VerificationPendingWire},
    codes=("execution_not_found", "no_outcome"),
)
async def request_verification(call: Call[NoFields, NoQuery]) -> Response:
    """Ask for a judgement by hand."""
    command = RequestVerification(account_id=call.account_id, execution_id=execution_id_of(call))
    pending, _ = await call.ask(command, OutcomeAnswer)
    return answer(
        VerificationPendingWire(
            execution_id=pending.execution_id, outcome_state=pending.outcome_state
        )
    )


def _measure(body: EvidenceBody) -> None:
    if body.metadata is not None:
        message = f"metadata has at most {METADATA_BYTES} bytes of JSON"
        refusal = ApiError("metadata_too_large", message)
        measured(body.metadata, "body.metadata", METADATA_BYTES, refusal)
    if body.artifacts is not None:
        measured(body.artifacts, "body.artifacts", ARTIFACTS_BYTES)


def _blob(document: dict[str, Any]) -> Blob | None:
    return blob_of(compact(document)) if document else None
