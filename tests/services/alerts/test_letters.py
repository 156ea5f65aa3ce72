"""What mails say, and that nothing a user chose can break out of them."""

from __future__ import annotations

from typing import Any

from services.alerts.rules.letters import LISTED, digest, letter
from services.alerts.rules.links import Links

LINKS = Links(dashboard_url="", base_url="https://api.example/")
TO = "you@example.com"
ALERT: dict[str, Any] = {
    "event": "alert.created",
    "alert_id": "a1",
    "alert_type": "consecutive_failure",
    "severity": "warning",
    "message": "morning-briefing failed 3 times in a row",
    "cue_id": "cue_x7k9m2p4q8w1",
    "cue_name": "morning-briefing",
    "execution_id": "e1",
    "created_at": "2026-03-28T13:20:00Z",
    "metadata": {"consecutive_failures": 3, "threshold": 3},
}
FAILURE: dict[str, Any] = {
    "event": "cue.failed",
    "cue_id": "cue_x7k9m2p4q8w1",
    "cue_name": "morning-briefing",
    "execution_id": "e1",
    "attempts": 3,
    "last_http_status": 500,
    "last_error": "the callback answered with an error status (500)",
    "failed_at": "2026-03-28T13:20:00Z",
    "dashboard_url": "https://app.example/executions/e1",
}


def test_an_alert_is_told_in_words_with_one_click_to_the_execution() -> None:
    told = letter(TO, "alert:a1", ALERT, LINKS)
    assert told.subject == "[CueAPI] morning-briefing failed 3 times in a row"
    assert told.message_id == "<alert.a1@cueapi>"
    assert ": https://api.example/v1/executions/e1\n" in told.text
    for text in (told.text, told.html):
        assert "morning-briefing failed 3 times in a row" in text
        assert "https://api.example/v1/executions/e1" in text
        assert "Consecutive failures" in text


def test_a_failure_is_told_with_its_last_error() -> None:
    told = letter(TO, "failure:e1", FAILURE, LINKS)
    assert told.subject == "[CueAPI] morning-briefing failed"
    for text in (told.text, told.html):
        assert "the callback answered with an error status (500)" in text
        assert "2026-03-28T13:20:00Z" in text


def test_a_missed_window_leads_to_the_cue() -> None:
    missed = {**ALERT, "execution_id": None, "alert_type": "missed_window"}
    told = letter(TO, "alert:a1", missed, Links(dashboard_url="https://app.example", base_url=""))
    assert ": https://app.example/cues/cue_x7k9m2p4q8w1\n" in told.text


def test_what_users_chose_is_escaped_and_stays_on_its_line() -> None:
    nasty = 'x <script>alert(1)</script>\r\nBcc: all@example.com "&'
    told = letter(TO, "failure:e1", {**FAILURE, "cue_name": nasty, "last_error": nasty}, LINKS)
    assert "<script>" not in told.html
    assert "&lt;script&gt;" in told.html
    assert "\n" not in told.subject
    assert "\nBcc:" not in told.text


def test_a_digest_names_the_oldest_and_counts_the_rest() -> None:
    held = [{**FAILURE, "execution_id": f"e{n}", "cue_name": f"cue {n}"} for n in range(LISTED + 7)]
    told = digest(TO, "digest:d", held, LINKS)
    assert told.subject == f"[CueAPI] {LISTED + 7} more failures and alerts in the last hour"
    for text in (told.text, told.html):
        assert "cue 0 failed" in text
        assert f"cue {LISTED} failed" not in text
        assert "and 7 more." in text
    assert f"See the latest: https://api.example/v1/executions/e{LISTED + 6}\n" in told.text


def test_a_digest_of_one_is_one() -> None:
    told = digest(TO, "digest:d", [ALERT], LINKS)
    assert told.subject == "[CueAPI] 1 more failure or alert in the last hour"
    assert "more." not in told.text


def test_a_silent_worker_and_a_used_up_month_are_told() -> None:
    silent = {"event": "worker.offline", "worker_id": "mac", "last_heartbeat_at": "then"}
    told = letter(TO, "worker:a:mac:then", silent, LINKS)
    assert told.subject == "[CueAPI] worker mac is offline"
    assert ": https://api.example/v1/workers\n" in told.text
    grace = {"event": "grace.started", "plan": "free", "limit": 300, "grace_ends_at": "tomorrow"}
    told = letter(TO, "grace:a:2026-03", grace, LINKS)
    assert "Executions go on until tomorrow" in told.text
    assert ": https://api.example/billing\n" in told.text
