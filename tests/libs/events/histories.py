"""Random histories that could have happened: what is told of a thing follows what was told before.

A history is drawn as numbers; each chooses one of the steps that are possible then. So a failing
one shrinks, and replays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from hypothesis import strategies as st
from msgspec.structs import replace

from libs.events import accounts, alerts, cues, execution_events, executions
from libs.events.base import Event, Transport
from libs.events.examples import AT, SETTINGS, example
from libs.events.log import LogUnit
from libs.runtime.ids import new_uuid
from tests.libs.events.streams_of import META, new_alert, new_cue, new_execution

Numbers = Sequence[int]
Step = Callable[[], None]

histories: st.SearchStrategy[list[Numbers]] = st.lists(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=12), min_size=1, max_size=5
)
"""Transactions, each a list of choices."""


class World:
    """One account and what lies in it, as one transaction after the other adds to it."""

    def __init__(self) -> None:
        self.account_id = new_uuid()
        self.keys: list[tuple[str, str]] = []
        self._slots = 0

    async def transact(self, unit: LogUnit, numbers: Numbers) -> None:
        """Take one step for each number, in one transaction."""
        for category in ("account", "cue", "execution", "alert"):
            await unit.lock(category, [key for kind, key in self.keys if kind == category])
        for number in numbers:
            steps = list(self._steps(unit, AT + timedelta(minutes=number)))
            steps[number % len(steps)]()

    def _steps(self, unit: LogUnit, at: datetime) -> Iterator[Step]:
        if not self.keys:
            registered = replace(
                example(accounts.AccountRegistered), account_id=self.account_id, at=at
            )
            yield lambda: self._record(unit, "account", self.account_id, registered)
            return
        yield lambda: self._begin_cue(unit, at)
        for category, key in self.keys:
            state = unit.state(category, key)
            for event in possible(state):
                told = replace(event, at=at)
                if isinstance(told, cues.CueUpdated):
                    told = replace(told, settings=replace(SETTINGS, name=new_uuid()))
                yield lambda c=category, k=key, e=told: self._record(unit, c, k, e)  # type: ignore[misc]
            if category == "cue" and not isinstance(state, cues.DeletedCue):
                yield from self._fires(unit, state, at)

    def _begin_cue(self, unit: LogUnit, at: datetime) -> None:
        cue = replace(new_cue(self.account_id), at=at)
        self._record(unit, "cue", cue.cue_id, cue)

    def _fires(self, unit: LogUnit, cue: cues.Cue, at: datetime) -> Iterator[Step]:
        created = replace(example(cues.CueCreated), cue_id=cue.facts.id, account_id=self.account_id)
        for transport in Transport:
            for triggered_by in ("scheduled", "catch_up", "manual_fire", "replay"):
                self._slots += 1
                run = replace(
                    new_execution(created, AT + timedelta(hours=self._slots), triggered_by),
                    at=at,
                    transport=transport,
                    blocked="limit" if self._slots % 7 == 0 else None,
                    starts_grace=self._slots % 5 == 0,
                )
                yield lambda r=run: self._record(unit, "execution", r.execution_id, r)  # type: ignore[misc]
        raised = replace(new_alert(created, new_uuid()), at=at)
        yield lambda: self._record(unit, "alert", raised.alert_id, raised)

    def _record(self, unit: LogUnit, category: str, key: str, event: Event) -> None:
        if (category, key) not in self.keys:
            self.keys.append((category, key))
        unit.record(category, key, self.account_id, [event], META)


def possible(state: object) -> list[Event]:
    """What may be told of a thing next, in the stage that it is in."""
    match state:
        case accounts.Account():
            kinds: list[type[Event]] = [
                accounts.PlanChanged,
                accounts.LimitsChanged,
                accounts.ApiKeyIssued,
                accounts.ApiKeyRevoked,
                accounts.ApiKeyShown,
                accounts.WebhookSecretRotated,
            ]
        case cues.DeletedCue():
            kinds = []
        case cues.ActiveCue() | cues.PausedCue() | cues.CompletedCue() | cues.FailedCue():
            kinds = [
                cues.CueUpdated,
                cues.CuePaused,
                cues.CueResumed,
                cues.SlotsSkipped,
                cues.CueCompleted,
                cues.CueFailed,
                cues.CueDeleted,
            ]
        case alerts.OpenAlert() | alerts.AcknowledgedAlert():
            kinds = [
                alerts.AlertAcknowledged,
                alerts.NotificationSent,
                alerts.NotificationFailed,
            ]
        case _:
            kinds = _possible_of_execution(state)
    return [example(kind) for kind in kinds]


def _possible_of_execution(state: object) -> list[type[Event]]:
    kinds: list[type[Event]] = [execution_events.LateResultRecorded]
    match state:
        case executions.Pending(facts=facts) if facts.transport is Transport.WORKER:
            kinds += [execution_events.ExecutionClaimed, execution_events.ExecutionMissed]
        case executions.Pending() | executions.Retrying():
            kinds += [
                execution_events.AttemptPostponed,
                execution_events.AttemptStarted,
                execution_events.ExecutionCancelled,
            ]
        case executions.Delivering():
            kinds += [
                execution_events.AttemptSucceeded,
                execution_events.AttemptFailed,
                execution_events.AttemptLost,
                execution_events.DeliveryFailed,
            ]
        case executions.Claimed():
            kinds += [execution_events.LeaseExtended, execution_events.LeaseExpired]
        case _:
            pass
    return kinds + _possible_of_outcome(state)


def _possible_of_outcome(state: object) -> list[type[Event]]:
    match state:
        case executions.Pending() | executions.Missed() | executions.Cancelled():
            return []
        case executions.Succeeded() | executions.Failed() | executions.Claimed():
            if state.facts.outcome is None:
                return [execution_events.OutcomeReported, execution_events.OutcomeDeadlinePassed]
            return [
                execution_events.EvidenceAppended,
                execution_events.OutcomeVerified,
                execution_events.VerificationRequested,
                execution_events.VerificationFailed,
            ]
        case _:
            return []
