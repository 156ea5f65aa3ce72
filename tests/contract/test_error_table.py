"""The contract's error table (§1), row by row, against the one that the api has."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.app import RESOURCES
from services.api.codes import CODES, code_on_the_wire

CONTRACT: Mapping[int, str] = {
    400: "invalid_json invalid_schedule invalid_payload_size invalid_payload invalid_callback_url"
    " invalid_alert_webhook_url metadata_too_large invalid_filter conflicting_filters"
    " invalid_status_in confirmation_required invalid_device_code device_code_expired"
    " invalid_status invalid_token invalid_plan invalid_interval no_stripe_customer",
    401: "invalid_api_key key_rotated key_revoked session_expired invalid_session invalid_token",
    403: "cue_limit_exceeded execution_limit_exceeded not_execution_owner support_not_eligible",
    404: "cue_not_found execution_not_found alert_not_found ticket_not_found worker_not_found"
    " device_code_not_found not_found",
    405: "method_not_allowed",
    409: "outcome_already_recorded execution_in_flight execution_not_claiming claim_failed"
    " no_outcome invalid_state duplicate_cue_name duplicate_email device_code_exists"
    " idempotency_key_conflict last_key_protected",
    410: "plaintext_unavailable timeline_archived",
    412: "precondition_failed",
    413: "request_too_large",
    422: "invalid_timezone validation_error no_fields",
    429: "rate_limit_exceeded",
    500: "internal_error",
    502: "stripe_error",
    503: "service_unavailable billing_unavailable session_unavailable",
}

OF_ENDPOINTS: Mapping[str, str] = {
    "create_cue": "invalid_schedule invalid_timezone invalid_payload invalid_callback_url"
    " invalid_payload_size duplicate_cue_name cue_limit_exceeded",
    "get_cues": "invalid_filter",
    "get_cue": "cue_not_found",
    "update_cue": "cue_not_found invalid_schedule invalid_timezone invalid_callback_url"
    " invalid_payload invalid_payload_size duplicate_cue_name cue_limit_exceeded invalid_state"
    " precondition_failed",
    "delete_cue": "cue_not_found precondition_failed",
    "fire_cue": "cue_not_found execution_limit_exceeded invalid_payload invalid_payload_size"
    " idempotency_key_conflict",
    "get_executions": "invalid_filter conflicting_filters invalid_status_in",
    "get_execution": "execution_not_found",
    "report_outcome": "execution_not_found metadata_too_large not_execution_owner"
    " outcome_already_recorded",
    "append_evidence": "execution_not_found metadata_too_large no_fields no_outcome",
    "replay_execution": "execution_not_found execution_in_flight execution_limit_exceeded",
    "extend_lease": "execution_not_found execution_not_claiming not_execution_owner",
    "verify_outcome": "execution_not_found invalid_state",
    "request_verification": "execution_not_found no_outcome",
    "claim_execution": "execution_not_found claim_failed",
    "claim_next_execution": "claim_failed",
    "register": "duplicate_email not_found",
    "update_me": "duplicate_email invalid_alert_webhook_url no_fields",
    "regenerate_key": "confirmation_required",
    "reveal_key": "plaintext_unavailable",
    "mint_key": "rate_limit_exceeded",
    "update_key": "not_found",
    "delete_key": "not_found last_key_protected confirmation_required",
    "regenerate_webhook_secret": "confirmation_required",
    "start_session": "invalid_token invalid_api_key session_unavailable",
    "refresh_session": "session_expired session_unavailable",
    "begin_sign_in": "invalid_device_code device_code_exists rate_limit_exceeded",
    "submit_email": "device_code_not_found device_code_expired invalid_status rate_limit_exceeded",
    "poll_sign_in": "rate_limit_exceeded",
    "get_alerts": "invalid_filter",
    "acknowledge_alert": "alert_not_found",
    "start_checkout": "invalid_plan invalid_interval billing_unavailable stripe_error",
    "open_portal": "no_stripe_customer billing_unavailable stripe_error",
    "create_ticket": "support_not_eligible rate_limit_exceeded",
    "get_ticket": "ticket_not_found",
    "get_tickets": "invalid_filter",
    "delete_cues": "confirmation_required",
    "delete_worker": "worker_not_found",
    "store_echo": "invalid_echo_token request_too_large rate_limit_exceeded",
    "exchange_session": "not_found invalid_token",
}


def test_the_table_is_the_contracts() -> None:
    ours: dict[int, set[str]] = {}
    for name, row in CODES.items():
        ours.setdefault(row.status, set()).add(code_on_the_wire(name))
    assert ours == {status: set(codes.split()) for status, codes in CONTRACT.items()}


def test_each_endpoint_tells_the_codes_that_the_contract_gives_it() -> None:
    told = {
        each.handler.__name__: set(each.refusals())
        for resource in RESOURCES
        for each in resource.all
    }
    missing = {name: set(codes.split()) - told[name] for name, codes in OF_ENDPOINTS.items()}
    assert not {name: codes for name, codes in missing.items() if codes}
