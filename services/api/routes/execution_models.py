"""What a client sends about an execution: which ones, claims, outcomes, evidence, judgements."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from libs.events.evidence import ARTIFACTS, TEXT_LIMITS, URL_LIMIT
from services.api.routes.shapes import (
    INTEGRAL,
    Instant,
    Lenient,
    PageLimit,
    PageOffset,
    Query,
    QueryFlag,
    Wish,
    WorkerId,
)


def _web_url(text: str) -> str:
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an absolute http or https URL")
    if not text.isprintable() or " " in text:
        raise ValueError("must not contain spaces or control characters")
    return text


def _text(longest: int) -> Any:
    return StringConstraints(max_length=longest)


LongText = Annotated[str, _text(TEXT_LIMITS["result"])]
ExternalId = Annotated[str, _text(TEXT_LIMITS["external_id"])]
ResultUrl = Annotated[str, _text(URL_LIMIT), AfterValidator(_web_url)]
ResultRef = Annotated[str, _text(TEXT_LIMITS["result_ref"])]
ResultType = Annotated[str, _text(TEXT_LIMITS["result_type"])]
Summary = Annotated[str, _text(TEXT_LIMITS["summary"])]
Artifacts = Annotated[list[Any], Field(max_length=ARTIFACTS)]
Word = Annotated[str, _text(255)]
Tasks = Annotated[list[Word], Field(min_length=1, max_length=100)]
LeaseSeconds = Annotated[int, Field(ge=10, le=3_600), INTEGRAL]
WaitSeconds = Annotated[int, Field(ge=0, le=30), INTEGRAL]


class EvidenceBody(Wish):
    """Evidence to add to a recorded outcome (nr 10)."""

    external_id: ExternalId | None = None
    result_url: ResultUrl | None = None
    result_ref: ResultRef | None = None
    result_type: ResultType | None = None
    summary: Summary | None = None
    artifacts: Artifacts | None = None
    metadata: dict[str, Any] | None = None


class OutcomeBody(EvidenceBody):
    """An outcome to put on record (nr 9)."""

    success: bool
    result: LongText | None = None
    error: LongText | None = None
    worker_id: WorkerId | None = None


class ClaimBody(Lenient):
    """Which worker claims, and for how long (nr 16)."""

    worker_id: WorkerId
    lease_seconds: LeaseSeconds | None = None


class ClaimNextBody(ClaimBody):
    """Which worker claims what, and how long it waits for it; `tasks` is any one of several."""

    task: Word | None = None
    tasks: Tasks | None = None
    agent: Word | None = None
    wait_seconds: WaitSeconds = 0


class HeartbeatBody(Wish):
    """Which worker holds the execution (nr 12); the header `X-Worker-Id` says it too."""

    worker_id: WorkerId | None = None


class VerifyBody(Wish):
    """A judgement by hand (nr 13)."""

    valid: bool = True
    reason: Summary | None = None


class ExecutionQuery(Query):
    """At which instant to look; now if absent."""

    as_of: Instant | None = None


class ListExecutionsQuery(Query):
    """Which executions to list (nr 7)."""

    cue_id: str | None = None
    status: str | None = None
    status__in: str | None = None
    outcome_state: str | None = None
    triggered_by: str | None = None
    worker_id: str | None = None
    result_type: str | None = None
    has_evidence: QueryFlag | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: PageLimit = 20
    offset: PageOffset = 0


class ReplayManyBody(Wish):
    """Which executions, by the filters of their list; `dry_run` only says what would be done."""

    cue_id: str | None = None
    status: str | None = None
    status__in: str | None = None
    outcome_state: str | None = None
    triggered_by: str | None = None
    worker_id: str | None = None
    result_type: str | None = None
    has_evidence: bool | None = None
    since: Instant | None = None
    until: Instant | None = None
    dry_run: bool = False


class ClaimableQuery(Query):
    """Which executions a worker could claim (nr 15)."""

    task: str | None = None
    agent: str | None = None
    limit: PageLimit = 50
