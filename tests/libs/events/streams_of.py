"""Streams to test with: fresh ids, and the first events that belong to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from libs.events.alerts import AlertRaised
from libs.events.cues import (
    CueCreated,
)
from libs.events.envelope import Meta, Reply
from libs.events.examples import AT, SETTINGS, example
from libs.events.execution_events import ExecutionScheduled
from libs.events.log import LogUnit
from libs.events.unit import StoredResult
from libs.runtime.ids import new_cue_id, new_uuid

META = Meta(correlation_id="r-1", actor="test")


def new_cue(
    account_id: str | None = None, name: str | None = None, next_run: datetime | None = None
) -> CueCreated:
    """A cue that was just declared; its name is its id unless given."""
    cue_id = new_cue_id()
    return replace(
        example(CueCreated),
        cue_id=cue_id,
        account_id=account_id or new_uuid(),
        settings=replace(SETTINGS, name=name or cue_id),
        next_run=next_run or AT + timedelta(hours=1),
    )


def new_execution(
    cue: CueCreated, scheduled_for: datetime = AT, triggered_by: str = "scheduled"
) -> ExecutionScheduled:
    """A run of that cue."""
    return replace(
        example(ExecutionScheduled),
        execution_id=new_uuid(),
        cue_id=cue.cue_id,
        account_id=cue.account_id,
        scheduled_for=scheduled_for,
        triggered_by=triggered_by,
        replayed_from=None,
        starts_grace=False,
    )


def new_alert(cue: CueCreated, episode: str) -> AlertRaised:
    """An alert about that cue."""
    return replace(
        example(AlertRaised),
        alert_id=new_uuid(),
        cue_id=cue.cue_id,
        account_id=cue.account_id,
        episode=episode,
    )


def new_result(account_id: str, key: str | None = None) -> StoredResult:
    """The reply to a new command, perhaps kept under an idempotency key."""
    command_id = new_uuid()
    return StoredResult(
        command_id=command_id,
        account_id=account_id,
        reply=Reply(command_id=command_id),
        idempotency_key=key,
        request_hash="h" if key else None,
    )


def declare(unit: LogUnit, *cues: CueCreated) -> None:
    """Record cues that were just declared."""
    for cue in cues:
        unit.record("cue", cue.cue_id, cue.account_id, [cue], META)
