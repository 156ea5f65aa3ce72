"""Whom to tell what, and when again (contract §9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.alerts import AlertRaised, message
from libs.events.cue_settings import (
    OnFailure,
)
from libs.events.examples import example
from libs.runtime.http.signing import canonical_body, signature
from services.alerts.decider.notifying import (
    Notification,
    Target,
    Told,
    after_try,
    destination,
    of_alert,
    of_failure,
)
from services.alerts.rules.pace import MAILS_AN_HOUR, TRIES, mails_admitted
from services.alerts.rules.request import headers_of
from tests.services.dispatcher.examples import MINUTE, NOON, STAGES
from tests.services.scheduler.deciding import given
from tests.services.scheduler.examples import EXECUTION_ID, settings

HOOK = "https://ops.example/hook"
TARGET = Target(email="you@example.com", email_notifications=True)
BOTH = settings(on_failure=OnFailure(email=True, webhook=HOOK))
RAISED = example(AlertRaised)


def channels(told: list[Notification]) -> list[str]:
    return [notification.channel for notification in told]


def test_an_alert_goes_through_every_channel_that_is_set() -> None:
    silent = settings(on_failure=OnFailure(email=False))
    everywhere = replace(TARGET, alert_webhook_url="https://all.example/alerts")
    assert channels(of_alert(RAISED, BOTH, TARGET)) == ["email", "webhook"]
    assert channels(of_alert(RAISED, silent, everywhere)) == ["alert_webhook"]
    assert channels(of_alert(RAISED, silent, None)) == []


def test_an_alerts_body_is_the_contracts() -> None:
    [mail, _] = of_alert(RAISED, BOTH, TARGET)
    assert mail.content == {
        "event": "alert.created",
        "alert_id": RAISED.alert_id,
        "alert_type": "consecutive_failure",
        "severity": "warning",
        "message": message(RAISED.kind, BOTH.name, RAISED.facts),
        "cue_id": RAISED.cue_id,
        "cue_name": BOTH.name,
        "execution_id": RAISED.execution_id,
        "created_at": "2026-03-01T09:00:00Z",
        "metadata": RAISED.facts,
    }


@pytest.mark.parametrize(
    ("stage", "error", "last_error", "attempts"),
    [
        ("failed", None, "the callback answered with an error status (500)", 3),
        ("missed", None, "no worker claimed it in time", 0),
        ("worker failure", "disk full", "disk full", 1),
    ],
)
def test_a_failures_body_is_the_contracts(
    stage: str, error: str | None, last_error: str, attempts: int
) -> None:
    execution: Any = given(*STAGES[stage]).state
    told = of_failure(execution, BOTH, error, NOON, "https://app.example/executions/e")
    assert channels(told) == ["email", "webhook"]
    assert told[1].content == {
        "event": "cue.failed",
        "cue_id": execution.facts.cue_id,
        "cue_name": BOTH.name,
        "execution_id": EXECUTION_ID,
        "attempts": attempts,
        "last_http_status": execution.facts.http_status,
        "last_error": last_error,
        "failed_at": "2026-05-05T12:00:00Z",
        "dashboard_url": "https://app.example/executions/e",
    }


def test_a_long_error_is_cut() -> None:
    execution: Any = given(*STAGES["worker failure"]).state
    [mail, _] = of_failure(execution, BOTH, "x" * 900, NOON, "")
    assert len(mail.content["last_error"]) == 500


def test_where_it_goes_is_decided_as_things_are_then() -> None:
    mail, hook = of_alert(RAISED, BOTH, TARGET)
    every = replace(hook, channel="alert_webhook")
    assert destination(mail, TARGET, BOTH) == "you@example.com"
    assert destination(hook, TARGET, BOTH) == HOOK
    assert destination(every, replace(TARGET, alert_webhook_url=HOOK), BOTH) == HOOK
    assert destination(mail, replace(TARGET, email_notifications=False), BOTH) is None
    assert destination(mail, TARGET, settings(on_failure=OnFailure(email=False))) is None
    assert destination(hook, TARGET, settings()) is None
    assert destination(every, replace(TARGET, alert_webhook_url=""), BOTH) is None


def test_what_is_gone_is_told_to_nobody() -> None:
    mail, hook = of_alert(RAISED, BOTH, TARGET)
    for notification in (mail, hook):
        assert destination(notification, TARGET, None) is None
        assert destination(notification, None, BOTH) is None


def test_a_digest_goes_to_the_account() -> None:
    digest = Notification(
        subject="digest:d", channel="email", kind="digest", account_id="a", content={}
    )
    assert destination(digest, TARGET, None) == "you@example.com"


def test_three_tries_one_and_five_minutes_apart() -> None:
    assert TRIES == 3
    assert after_try(1, "refused", NOON) == Told(
        status="waiting", due_at=NOON + MINUTE, error="refused"
    )
    assert after_try(2, "refused", NOON) == Told(
        status="waiting", due_at=NOON + timedelta(minutes=5), error="refused"
    )
    assert after_try(3, "refused", NOON) == Told(status="failed", error="refused")
    assert after_try(1, None, NOON) == after_try(3, None, NOON) == Told(status="sent")


@pytest.mark.parametrize(
    ("wanted", "mailed", "admitted"), [(3, 0, 3), (12, 0, 10), (3, 9, 1), (3, 10, 0), (3, 12, 0)]
)
def test_ten_mails_an_hour(wanted: int, mailed: int, admitted: int) -> None:
    assert MAILS_AN_HOUR == 10
    assert mails_admitted(wanted, mailed) == admitted


def test_one_verifier_serves_deliveries_and_alerts() -> None:
    content = {"event": "alert.created", "alert_id": "a1", "alert_type": "missed_window", "ü": 1}
    headers = headers_of(content, ("whsec_new", "whsec_old"), 1_741_871_400)
    body = canonical_body(content)
    assert body == (
        b'{"alert_id": "a1", "alert_type": "missed_window", "event": "alert.created", "\\u00fc": 1}'
    )
    assert headers == {
        "Content-Type": "application/json",
        "X-CueAPI-Alert-Id": "a1",
        "X-CueAPI-Alert-Type": "missed_window",
        "X-CueAPI-Timestamp": "1741871400",
        "X-CueAPI-Signature": signature("whsec_new", 1_741_871_400, body),
        "X-CueAPI-Signature-Previous": signature("whsec_old", 1_741_871_400, body),
    }


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("consecutive_failure", {"consecutive_failures": 3}, "x failed 3 times in a row"),
        ("consecutive_failure", {"consecutive_failures": 1}, "x failed"),
        (
            "missed_window",
            {"expected_by": "2026-03-28T13:00:00Z"},
            "x has not succeeded since it was due at 2026-03-28T13:00:00Z",
        ),
        (
            "outcome_timeout",
            {"outcome_deadline_seconds": 300, "delivered_at": "2026-03-28T13:00:00Z"},
            "x was delivered, but reported no outcome within 300 seconds",
        ),
        (
            "outcome_timeout",
            {"outcome_deadline_seconds": 86_400, "delivered_at": None},
            "x was taken by a worker, but reported no outcome within 86400 seconds",
        ),
        (
            "verification_failed",
            {"missing": "external_id"},
            "x reported success that is not verified: external_id is missing",
        ),
        ("verification_failed", {"missing": None}, "x reported success that is not verified"),
    ],
)
def test_alerts_are_told_in_a_sentence(kind: str, facts: dict[str, Any], words: str) -> None:
    assert message(kind, "x", facts) == words
