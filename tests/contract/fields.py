"""The contract's field tables as data: what is wrong for each field, and what is then answered.

`BASES` has a right body for each endpoint that takes one; `FIELDS` says, by endpoint and dotted
field, which values are refused: as 422 `validation_error` naming the field, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.contract.target import TICKET
from tests.services.api.bodies import CRON, CUE, ONCE

ABSENT = "<absent>"
"""Stands for a field that is left out."""

BASES: Mapping[str, dict[str, Any]] = {
    "create_cue": {**CUE, "name": "a row of the contract"},
    "update_cue": {"schedule": CRON},
    "fire_cue": {},
    "delete_cues": {"ids": ["cue_000000000000"]},
    "report_outcome": {"success": True},
    "append_evidence": {"external_id": "x"},
    "extend_lease": {},
    "verify_outcome": {},
    "claim_execution": {"worker_id": "worker-2"},
    "claim_next_execution": {"worker_id": "worker-2"},
    "replay_executions": {"dry_run": True},
    "preview_schedule": {"schedule": CRON},
    "record_worker_heartbeat": {"worker_id": "worker-1"},
    "register": {"email": "row@example.com"},
    "update_me": {"email_notifications": True},
    "mint_key": {"label": "row"},
    "update_key": {"label": "row"},
    "regenerate_webhook_secret": {},
    "start_session": {"token": "stk_unknown"},
    "refresh_session": {},
    "begin_sign_in": {},
    "submit_email": {"device_code": "ABCD-EFGH", "email": "row@example.com"},
    "poll_sign_in": {"device_code": "ABCD-EFGH"},
    "approve_sign_in": {},
    "exchange_session": {"session_token": "stk_unknown", "client_id": "an-mcp-client"},
    "create_ticket": TICKET,
    "start_checkout": {"plan": "pro"},
}


class Bad(NamedTuple):
    """A value that is refused; `where` is the field that is told, when it is another one."""

    value: Any
    status: int = 422
    code: str = "validation_error"
    where: str | None = None


class Row(NamedTuple):
    """One field, one value that is refused."""

    endpoint: str
    field: str
    bad: Bad

    @property
    def body(self) -> dict[str, Any]:
        """The body in which nothing but this field is wrong."""
        return changed(BASES[self.endpoint], self.field.split("."), self.bad.value)


def changed(body: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy with the value at `path` replaced, or left out."""
    head, *rest = path
    copy = dict(body)
    if rest:
        copy[head] = changed(copy.get(head) or {}, rest, value)
    elif value is ABSENT:
        copy.pop(head, None)
    else:
        copy[head] = value
    return copy


def text(longest: int, shortest: int = 0) -> list[Bad]:
    """Values that are no text of these lengths."""
    short = [Bad("x" * (shortest - 1))] if shortest else []
    return [*short, Bad("x" * (longest + 1)), Bad(7), Bad([]), Bad("a\0b")]


def whole(least: int, most: int) -> list[Bad]:
    """Values that are no whole numbers within these bounds."""
    return [Bad(least - 1), Bad(most + 1), Bad(least + 0.5), Bad(str(least)), Bad(True)]


def values(*faults: Any, status: int = 422, code: str = "validation_error") -> list[Bad]:
    """Values that are all refused alike."""
    return [Bad(fault, status, code) for fault in faults]


def needed(*bads: Bad) -> list[Bad]:
    """A field that must be there."""
    return [Bad(ABSENT), Bad(None), *bads]


FLAG = values("true", 1, 0, [], {})
OBJECT = values("x", 7, [], True)
BAD_URLS = values(
    "http://a.example/",
    "a.example/hook",
    "https://",
    "https://user:word@a.example/",
    "https://localhost/",
    "https://127.0.0.1/",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://0x7f000001/",
    "https://metadata.google.internal/",
    "https://internal.example.com/",
    "https://a.example/" + "x" * 2_048,
    status=400,
    code="invalid_callback_url",
)
BAD_CRONS = values(
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "@reboot", "5-1 * * * *",
    "*/0 * * * *", "0 0 30 2 *", "x" * 101,
    status=400, code="invalid_schedule",
)  # fmt: skip
BAD_TIMES = values(7, "tomorrow", "2027-01-01", "2027-02-30T00:00:00Z", True)
BAD_ZONES = values("", "+02:00", "Mars/Olympus", "EST5", status=422, code="invalid_timezone")
BAD_EMAILS = values("", "you", "you@", "@example.com", "x" * 250 + "@a.com", 7)

_SCHEDULE: Mapping[str, list[Bad]] = {
    "schedule": values("daily", 7, []),
    "schedule.type": [
        *needed(Bad(1)),
        *values("hourly", "", status=400, code="invalid_schedule"),
    ],
    "schedule.cron": [*BAD_CRONS, Bad(ABSENT, 400, "invalid_schedule"), Bad(7)],
    "schedule.at": [*BAD_TIMES, Bad(ONCE["at"], 400, "invalid_schedule")],
    "schedule.timezone": [*BAD_ZONES, Bad(7)],
}
_RULES: Mapping[str, list[Bad]] = {
    "callback": OBJECT,
    "callback.url": [*BAD_URLS, Bad(7)],
    "callback.method": values("DELETE", "post", "", 7),
    "callback.headers": [
        *values("x", [], {"A": 1}, {"A": None}),
        Bad({f"H{n}": "x" for n in range(21)}),
        Bad({"Host": "x"}, where="body.callback.headers.Host"),
        Bad({"X-CueAPI-Cue-Id": "x"}, where="body.callback.headers.X-CueAPI-Cue-Id"),
        Bad({"webhook-id": "x"}, where="body.callback.headers.webhook-id"),
        Bad({"A": "x\r\ny"}, where="body.callback.headers.A"),
        Bad({"A": "x" * 4_097}, where="body.callback.headers.A"),
        Bad({"a b": "x"}, where="body.callback.headers.a b"),
    ],
    "callback.transport": values("webhook", "worker"),
    "payload": [
        *OBJECT,
        Bad({"x": "y" * 1_048_576}, 400, "invalid_payload_size"),
        Bad({"x": "\0"}, 400, "invalid_payload"),
    ],
    "retry": OBJECT,
    "retry.max_attempts": whole(1, 10),
    "retry.backoff_minutes": values([], [1] * 11, ["1"], [-1], [1_441], 5),
    "delivery": OBJECT,
    "delivery.timeout_seconds": whole(1, 3_600),
    "delivery.outcome_deadline_seconds": whole(1, 3_600),
    "alerts": OBJECT,
    "alerts.consecutive_failures": whole(1, 100),
    "alerts.missed_window_multiplier": whole(1, 10),
    "catch_up": values("never", "", 7),
    "verification": OBJECT,
    "verification.mode": values("strict", "", 7),
    "on_failure": OBJECT,
    "on_failure.email": FLAG,
    "on_failure.pause": FLAG,
    "on_failure.webhook": [*BAD_URLS, Bad(7)],
}
_EVIDENCE: Mapping[str, list[Bad]] = {
    "external_id": text(255),
    "result_url": [*values("ftp://a.example/", "a.example", "https://", 7, "http://a b/")],
    "result_ref": text(500),
    "result_type": text(50),
    "summary": text(500),
    "artifacts": [*values("x", {}, [1] * 101), Bad(["x" * 65_536])],
    "metadata": [*OBJECT, Bad({"x": "y" * 10_240}, 400, "metadata_too_large")],
}
_LEASE: Mapping[str, list[Bad]] = {
    "worker_id": needed(*text(255, 1)),
    "lease_seconds": whole(10, 3_600),
}
_FILTERS = {
    name: [*values("nothing", status=400, code="invalid_filter"), Bad(7)]
    for name in ("status", "status__in", "outcome_state", "triggered_by")
}
_LABEL = needed(*text(100, 1), Bad(" \t "))

FIELDS: Mapping[str, Mapping[str, list[Bad]]] = {
    "create_cue": {
        "name": needed(*text(255, 1), Bad(" \t ")),
        "description": text(5_000),
        **_SCHEDULE,
        "schedule": needed(*_SCHEDULE["schedule"]),
        "transport": values("email", "", 7),
        **_RULES,
        "callback": [*OBJECT, Bad(ABSENT, where="body.callback.url")],
        "callback.url": [*_RULES["callback.url"], *needed()],
        "cron": [Bad("* * * * *"), Bad(7)],
        "at": [Bad(ONCE["at"]), Bad(7)],
        "timezone": [Bad("UTC"), Bad(7)],
        "callback_url": [Bad("https://a.example/"), Bad(7)],
        "worker": [Bad(True), Bad("true")],
    },
    "update_cue": {
        "name": [*text(255, 1), Bad(None)],
        "description": text(5_000),
        "status": values("completed", "failed", "", 7, None),
        **_SCHEDULE,
        "schedule": [*_SCHEDULE["schedule"], Bad(None)],
        **_RULES,
        "transport": values("worker", "webhook", None),
        "callback": [*OBJECT, Bad(None)],
        "retry.max_attempts": [*whole(1, 10), Bad(None)],
    },
    "fire_cue": {
        "payload_override": [*OBJECT, Bad({"x": "y" * 1_048_576}, 400, "invalid_payload_size")],
        "merge_strategy": values("deep", "", 7),
        "send_at": BAD_TIMES,
        "idempotency_key": text(256, 1),
    },
    "delete_cues": {"ids": needed(*values([], ["x"] * 101, "x", [7], {}))},
    "report_outcome": {
        "success": needed(*FLAG),
        "result": text(8_000),
        "error": text(8_000),
        **_EVIDENCE,
        "worker_id": [*text(255, 1), Bad("another", 403, "not_execution_owner")],
    },
    "append_evidence": {
        **_EVIDENCE,
        "external_id": [*text(255), Bad(None, 422, "no_fields"), Bad(ABSENT, 422, "no_fields")],
    },
    "extend_lease": {
        "worker_id": [*text(255, 1), Bad("another", 403, "not_execution_owner")],
    },
    "verify_outcome": {"valid": FLAG, "reason": text(500)},
    "claim_execution": _LEASE,
    "claim_next_execution": {
        **_LEASE,
        "task": text(255),
        "tasks": values("x", [], [7], ["x"] * 101, ["x" * 256]),
        "agent": text(255),
        "wait_seconds": whole(0, 30),
    },
    "replay_executions": {
        **_FILTERS,
        "cue_id": values(7),
        "worker_id": values(7),
        "result_type": values(7),
        "has_evidence": FLAG,
        "since": BAD_TIMES,
        "until": BAD_TIMES,
        "dry_run": FLAG,
    },
    "preview_schedule": {
        **_SCHEDULE,
        "schedule": needed(*_SCHEDULE["schedule"]),
        "count": whole(1, 100),
    },
    "record_worker_heartbeat": {
        "worker_id": needed(*text(255, 1)),
        "handlers": values("x", [7], ["x"] * 101, ["x" * 256]),
    },
    "register": {"email": needed(*BAD_EMAILS)},
    "update_me": {
        "email": [*BAD_EMAILS, Bad(None)],
        "alert_webhook_url": [
            *(bad._replace(code="invalid_alert_webhook_url") for bad in BAD_URLS),
            Bad(7),
        ],
        "email_notifications": [*FLAG, Bad(None), Bad(ABSENT, 422, "no_fields")],
    },
    "mint_key": {"label": _LABEL},
    "update_key": {"label": _LABEL},
    "regenerate_webhook_secret": {"overlap_hours": whole(0, 72)},
    "start_session": {"token": [Bad("unknown", 401, "invalid_token"), Bad(7)]},
    "refresh_session": {"token": values(7)},
    "begin_sign_in": {
        "device_code": [
            *values(
                "short", "x" * 129, "a b c d", "ünïcöde", status=400, code="invalid_device_code"
            ),
            Bad(7),
        ],
    },
    "submit_email": {
        "device_code": needed(Bad("nobodys-code", 404, "device_code_not_found"), Bad(7)),
        "email": needed(*BAD_EMAILS),
    },
    "poll_sign_in": {"device_code": needed(Bad(7))},
    "approve_sign_in": {"token": values(7), "device_code": values(7)},
    "exchange_session": {
        "session_token": needed(Bad("stk_other", 401, "invalid_token"), Bad(7)),
        "client_id": needed(Bad("another", 404, "not_found"), Bad(7)),
        "label": text(80, 1),
    },
    "create_ticket": {
        "subject": needed(*text(200, 10)),
        "message": needed(*text(10_000, 30)),
        "severity": needed(*values("urgent", "", 7)),
        "type": needed(*values("question", "", 7)),
    },
    "start_checkout": {
        "plan": needed(Bad("free", 400, "invalid_plan"), Bad("x", 400, "invalid_plan"), Bad(7)),
        "interval": [Bad("yearly", 400, "invalid_interval"), Bad(7)],
    },
}


def rows() -> Iterator[Row]:
    """Every refused value of every field."""
    for endpoint, fields in FIELDS.items():
        for field, bads in fields.items():
            yield from (Row(endpoint, field, bad) for bad in bads)
