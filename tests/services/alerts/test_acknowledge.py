from __future__ import annotations

from libs.events.alerts import (
    AcknowledgeAlert,
    AlertAcknowledged,
    AlertRaised,
    NotificationFailed,
    NotificationSent,
    row,
)
from libs.events.examples import example
from services.alerts.decider.acknowledging import acknowledge
from tests.services.dispatcher.examples import MINUTE, NOON
from tests.services.scheduler.deciding import Decided, events_of, given, refused

RAISED = example(AlertRaised)
COMMAND = example(AcknowledgeAlert)
NOW = NOON + MINUTE


def when_acknowledged(*past: AlertRaised | AlertAcknowledged) -> Decided:
    return given(*past).when(lambda alert: acknowledge(COMMAND, alert, NOW))


def test_an_open_alert_is_acknowledged() -> None:
    decided = when_acknowledged(RAISED)
    decided.then(AlertAcknowledged(at=NOW))
    assert row(given(RAISED, *events_of(decided)).state)["acknowledged_at"] == NOW


def test_once_is_enough() -> None:
    when_acknowledged(RAISED, AlertAcknowledged(at=NOON)).then()


def test_what_is_not_there_cannot_be_acknowledged() -> None:
    when_acknowledged().then(refused("alert_not_found"))


def test_telling_somebody_changes_nothing() -> None:
    told = (
        NotificationSent(at=NOW, channel="email"),
        NotificationFailed(at=NOW, channel="webhook", error="refused"),
    )
    assert given(RAISED, *told).state == given(RAISED).state
    seen = AlertAcknowledged(at=NOON)
    assert given(RAISED, seen, *told).state == given(RAISED, seen).state
