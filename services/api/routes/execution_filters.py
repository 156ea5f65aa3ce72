"""Which executions a list is of (contract nr 7)."""

from __future__ import annotations

from services.api.errors import ApiError
from services.api.queries.pages import Filters
from services.api.routes.execution_models import ListExecutionsQuery, ReplayManyBody
from services.api.routes.filters import one_of
from services.api.rules.ids import is_cue_id

STATUSES = (
    "pending",
    "delivering",
    "success",
    "retrying",
    "failed",
    "missed",
    "outcome_timeout",
    "retry_ready",
    "pending_outcome",
)
OUTCOME_STATES = (
    "reported_success",
    "reported_failure",
    "verified_success",
    "verification_failed",
    "verification_pending",
    "unknown",
)
TRIGGERS = ("scheduled", "catch_up", "manual_fire", "replay")


Wanted = ListExecutionsQuery | ReplayManyBody


def execution_filters(account_id: str, query: Wanted) -> Filters:
    """Turn what is asked for into conditions. Raises ApiError."""
    if query.status is not None and query.status__in is not None:
        raise ApiError("conflicting_filters", "send either status or status__in")
    one_of("status", query.status, STATUSES)
    one_of("outcome_state", query.outcome_state, OUTCOME_STATES)
    one_of("triggered_by", query.triggered_by, TRIGGERS)
    filters = Filters(account_id)
    filters.equal("status", query.status)
    filters.equal("outcome_state", query.outcome_state)
    filters.equal("triggered_by", query.triggered_by)
    filters.equal("worker_id", query.worker_id)
    filters.equal("result_type", query.result_type)
    filters.equal("has_evidence", query.has_evidence)
    if query.cue_id is not None:
        # An id of another form has no executions; it need not travel to Postgres to say so.
        filters.equal("cue_id", query.cue_id if is_cue_id(query.cue_id) else "")
    if query.status__in is not None:
        filters.add("status = any(%(statuses)s)", {"statuses": _statuses(query.status__in)})
    if query.since is not None:
        filters.add("created_at >= %(since)s", {"since": query.since})
    if query.until is not None:
        filters.add("created_at <= %(until)s", {"until": query.until})
    return filters


def _statuses(text: str) -> list[str]:
    named = [name.strip() for name in text.split(",")]
    if not any(named):
        raise ApiError("invalid_status_in", "status__in needs at least one status")
    for name in named:
        one_of("status__in", name, STATUSES)
    return named
