"""What each event of an account means, in one sentence (contract §16, stream)."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, assert_never

from libs.events.accounts import (
    AccountEvent,
    AccountRegistered,
    ApiKeyIssued,
    ApiKeyRevoked,
    ApiKeyShown,
    LimitsChanged,
    PlanChanged,
    WebhookSecretRotated,
)
from libs.events.alerts import (
    AlertAcknowledged,
    AlertEvent,
    AlertRaised,
    NotificationFailed,
    NotificationSent,
)
from libs.events.cues import (
    CueCompleted,
    CueCreated,
    CueDeleted,
    CueEvent,
    CueFailed,
    CuePaused,
    CueResumed,
    CueUpdated,
    SlotsSkipped,
)
from libs.events.execution_events import ExecutionEvent
from services.api.rules.timeline import summary
from services.api.rules.timestamps import wire_time

News: TypeAlias = AccountEvent | CueEvent | ExecutionEvent | AlertEvent


def headline(event: News) -> str:
    """Tell an event of any stream."""
    if isinstance(event, CueEvent):
        return _of_cue(event)
    if isinstance(event, AlertEvent):
        return _of_alert(event)
    if isinstance(event, AccountEvent):
        return _of_account(event)
    return summary(event)


def _of_cue(event: CueEvent) -> str:
    match event:
        case CueCreated():
            return f"Cue {event.settings.name} was created{_next(event.next_run)}"
        case CueUpdated():
            return f"Cue {event.settings.name} was changed{_next(event.next_run)}"
        case CuePaused():
            return f"The cue was paused ({event.reason})"
        case CueResumed():
            return f"The cue was resumed{_next(event.next_run)}"
        case SlotsSkipped():
            return f"{event.count} due times were skipped: {event.reason}{_next(event.next_run)}"
        case CueCompleted():
            return "The cue is done: its one run succeeded"
        case CueFailed():
            return "The cue is done: its one run did not succeed"
        case CueDeleted():
            return "The cue was deleted"
        case _:
            assert_never(event)


def _of_alert(event: AlertEvent) -> str:
    match event:
        case AlertRaised():
            return f"An alert was raised: {event.kind}"
        case AlertAcknowledged():
            return "The alert was acknowledged"
        case NotificationSent():
            return f"The alert was told by {event.channel}"
        case NotificationFailed():
            return f"The alert could not be told by {event.channel}: {event.error}"
        case _:
            assert_never(event)


def _of_account(event: AccountEvent) -> str:
    match event:
        case AccountRegistered():
            return f"The account was opened on the plan {event.plan}"
        case ApiKeyIssued():
            return f"The key {event.label} was made"
        case ApiKeyRevoked():
            return f"A key was {event.reason}"
        case ApiKeyShown():
            return "A key was shown again"
        case WebhookSecretRotated():
            return "The webhook secret was rotated"
        case PlanChanged():
            return f"The plan is {event.plan} now"
        case LimitsChanged():
            return (
                "The account has the limits of its plan"
                if event.limits is None
                else ("The account has limits of its own")
            )
        case _:
            assert_never(event)


def _next(moment: datetime | None) -> str:
    return f"; next run at {wire_time(moment)}" if moment else ""
