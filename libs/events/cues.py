"""The cue: what a user declares, from its creation to its end (contract §2 nr 1-6, §4).

A cue's stream holds its configuration. Each fire is the first event of an execution's stream, and
moves the cue's `next_run`; so `evolve` of a cue folds `ExecutionScheduled` too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias, assert_never

from msgspec.structs import replace

from libs.events.base import Command, Event, Reference, Value
from libs.events.cue_settings import CueSettings
from libs.events.execution_events import ExecutionScheduled

CATEGORY = "cue"


class CreateCue(Command):
    """Declare a cue. The id is the caller's, so that a repeat is recognised."""

    cue_id: str
    settings: CueSettings


class UpdateCue(Command):
    """Change a cue. `changes` holds the new values; nested objects merge by field (nr 4).

    `schedule`, `payload` and every leaf replace; `status` is `active` or `paused`.
    `if_version` refuses the change when the cue has moved on.
    """

    cue_id: str
    changes: dict[str, Any]
    status: str | None = None
    if_version: int | None = None


class DeleteCue(Command):
    """End a cue and everything of it that is pending."""

    cue_id: str
    if_version: int | None = None


class FireCue(Command):
    """Make one execution now, or at `send_at`, with the cue's payload or another."""

    cue_id: str
    execution_id: str
    payload: Reference | None = None
    send_at: datetime | None = None


class ReplayExecution(Command):
    """Make a new execution from an ended one."""

    replayed_id: str
    execution_id: str


class CueCreated(Event):
    """A cue was declared."""

    cue_id: str
    account_id: str
    settings: CueSettings
    next_run: datetime | None


class CueUpdated(Event):
    """A cue's settings were replaced; `next_run` is what follows from them now."""

    settings: CueSettings
    next_run: datetime | None
    reactivated: bool = False


class CuePaused(Event):
    """Scheduling stopped; executions already made go on. `reason`: user, on_failure, plan."""

    reason: str = "user"


class CueResumed(Event):
    """Scheduling starts again from now; what passed meanwhile is not missed."""

    next_run: datetime | None


class SlotsSkipped(Event):
    """Due slots ended without an execution: `count` of them, from `first` to `last`, and why."""

    first: datetime
    last: datetime
    count: int
    reason: str
    next_run: datetime | None


class CueCompleted(Event):
    """The one run of a `once` cue succeeded."""

    execution_id: str


class CueFailed(Event):
    """The one run of a `once` cue failed, was missed, or was skipped (`execution_id` None)."""

    execution_id: str | None = None


class CueDeleted(Event):
    """The cue is gone, with its executions; its name is free again."""


CueCommand: TypeAlias = CreateCue | UpdateCue | DeleteCue | FireCue | ReplayExecution
CueEvent: TypeAlias = (
    CueCreated
    | CueUpdated
    | CuePaused
    | CueResumed
    | SlotsSkipped
    | CueCompleted
    | CueFailed
    | CueDeleted
)


class CueFacts(Value):
    """What is true of a cue in every stage of its life."""

    id: str
    account_id: str
    settings: CueSettings
    created_at: datetime
    updated_at: datetime
    fired_count: int = 0
    scheduled_id: str | None = None  # the scheduled execution of a `once` cue


class ActiveCue(Value, tag_field="stage", tag="active"):
    """Fires at `next_run`; None once nothing is ahead."""

    facts: CueFacts
    next_run: datetime | None


class PausedCue(Value, tag_field="stage", tag="paused"):
    """Does not fire until resumed; slots after `since` pass by and are not on record yet."""

    facts: CueFacts
    since: datetime


class CompletedCue(Value, tag_field="stage", tag="completed"):
    """A `once` cue whose run succeeded."""

    facts: CueFacts


class FailedCue(Value, tag_field="stage", tag="failed"):
    """A `once` cue whose run did not succeed."""

    facts: CueFacts


class DeletedCue(Value, tag_field="stage", tag="deleted"):
    """Gone for its user; kept as the end of the stream."""

    facts: CueFacts


Cue: TypeAlias = ActiveCue | PausedCue | CompletedCue | FailedCue | DeletedCue


def evolve(state: Cue | None, event: CueEvent | ExecutionScheduled) -> Cue:
    """Fold one event of the cue's stream, or a fire of this cue, into its state."""
    if isinstance(event, CueCreated):
        return ActiveCue(facts=_born(event), next_run=event.next_run)
    assert state is not None, f"{type(event).__name__} before CueCreated"
    if isinstance(event, ExecutionScheduled):
        return _fired(state, event)
    facts = replace(state.facts, updated_at=event.at)
    match event:
        case CueUpdated():
            return _updated(state, facts, event)
        case CuePaused():
            return PausedCue(facts=facts, since=event.at)
        case CueResumed():
            return ActiveCue(facts=facts, next_run=event.next_run)
        case SlotsSkipped():
            return _skipped(state, event)
        case CueCompleted():
            return CompletedCue(facts=facts)
        case CueFailed():
            return FailedCue(facts=facts)
        case CueDeleted():
            return DeletedCue(facts=facts)
        case _:
            assert_never(event)


def _born(event: CueCreated) -> CueFacts:
    return CueFacts(
        id=event.cue_id,
        account_id=event.account_id,
        settings=event.settings,
        created_at=event.at,
        updated_at=event.at,
    )


def _updated(state: Cue, facts: CueFacts, event: CueUpdated) -> Cue:
    rescheduled = event.settings.schedule != facts.settings.schedule
    facts = replace(facts, settings=event.settings)
    if rescheduled or event.reactivated:
        facts = replace(facts, scheduled_id=None)
    if event.reactivated or isinstance(state, ActiveCue):
        return ActiveCue(facts=facts, next_run=event.next_run)
    if isinstance(state, PausedCue) and rescheduled:
        return PausedCue(facts=facts, since=event.at)
    return replace(state, facts=facts)


def _skipped(state: Cue, event: SlotsSkipped) -> Cue:
    match state:
        case ActiveCue():
            return replace(state, next_run=event.next_run)
        case PausedCue():
            return replace(state, since=event.at)
        case _:
            return state


def _fired(state: Cue, event: ExecutionScheduled) -> Cue:
    if event.triggered_by == "replay":
        return state
    facts = replace(state.facts, fired_count=state.facts.fired_count + 1)
    if event.triggered_by == "manual_fire" or not isinstance(state, ActiveCue):
        return replace(state, facts=facts)
    if facts.settings.schedule.at is not None:
        facts = replace(facts, scheduled_id=event.execution_id)
    return ActiveCue(facts=facts, next_run=event.next_run)


def status(cue: Cue) -> str:
    """Name the cue's stage as the wire does (contract §4), or `deleted`."""
    match cue:
        case ActiveCue():
            return "active"
        case PausedCue():
            return "paused"
        case CompletedCue():
            return "completed"
        case FailedCue():
            return "failed"
        case DeletedCue():
            return "deleted"
        case _:
            assert_never(cue)


def row(cue: Cue) -> dict[str, Any]:
    """Project a cue onto its row: the columns that are searched, and the whole state."""
    facts = cue.facts
    return {
        "id": facts.id,
        "account_id": facts.account_id,
        "name": facts.settings.name,
        "status": status(cue),
        "next_run": cue.next_run if isinstance(cue, ActiveCue) else None,
        "settling_id": facts.scheduled_id,
        "verification": facts.settings.verification.value,
        "created_at": facts.created_at,
        "state": cue,
    }
