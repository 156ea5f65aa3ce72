"""What the alerts service does about events and commands: load, decide, append, answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from prometheus_client import Counter

from libs.events.alerts import CATEGORY, AcknowledgeAlert, AlertRaised, is_final_failure
from libs.events.answers import Done
from libs.events.base import Command, Rejection, Value, key_of
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.cues import (
    CueResumed,
)
from libs.events.envelope import Meta, Notice
from libs.events.execution_events import OutcomeReported, VerificationFailed
from libs.events.log import PostgresLog, PostgresUnit
from libs.runtime.ids import new_uuid
from services.alerts import queries
from services.alerts.decider.acknowledging import acknowledge
from services.alerts.decider.episodes import (
    ROW,
    Called,
    PastAlert,
    alerts_called_for,
    is_news,
    needs_a_longer_look,
    past_alert,
)
from services.alerts.decider.notifying import Notification, of_alert, of_failure
from services.alerts.decider.windows import watch_for
from services.alerts.rules.failures import (
    HISTORY,
    FailureRow,
    Verdict,
    failure_row,
    first_look,
    verdict,
)
from services.alerts.rules.links import Links
from services.alerts.tables import notifications, watches

RAISED = Counter("cueapi_alerts_raised_total", "Alerts that were raised", ["kind"])

KNOWN_ROWS = 20
"""How many of a cue's alerts about rows are read: news that is older than these is too old."""

Raised: TypeAlias = tuple[AlertRaised, CueSettings]
"""An alert that was raised now, and its cue's settings."""


class AlertDesk:
    """Handles the commands to alerts, a micro-batch at a time."""

    async def load(self, unit: PostgresUnit, commands: Sequence[Command]) -> None:
        """Lock the alerts."""
        alert_ids = {c.alert_id for c in commands if isinstance(c, AcknowledgeAlert)}
        await unit.lock(CATEGORY, alert_ids)
        await watches.look_after_acknowledging(unit, alert_ids)

    def handle(self, unit: PostgresUnit, command: Command, meta: Meta) -> Value | Rejection:
        """Decide one command, record its event, and answer."""
        assert isinstance(command, AcknowledgeAlert)
        alert = unit.state(CATEGORY, command.alert_id)
        if alert is not None and alert.facts.account_id != command.account_id:
            alert = None
        decided = acknowledge(command, alert, unit.now)
        if isinstance(decided, Rejection):
            return decided
        unit.record(CATEGORY, command.alert_id, command.account_id, decided, meta)
        return Done()


async def raise_alerts(log: PostgresLog, notices: Sequence[Notice], links: Links) -> int:
    """Raise the alerts that these events call for and that are not there yet; give how many.

    Who is to be told of them, and of failures that are final, is written down with them.
    """
    async with log.transaction() as unit:
        changed = await queries.changed(unit, {key_of(notice.stream_id) for notice in notices})
        if not changed:
            return 0
        raised = await _raise_called(unit, notices, changed)
        await announce(unit, raised)
        await _announce_failures(unit, notices, changed, links)
        await _doubt_successes(unit, notices, changed)
        return len(raised)


async def _raise_called(
    unit: PostgresUnit, notices: Sequence[Notice], changed: Sequence[queries.Changed]
) -> list[Raised]:
    cue_ids = {item.execution.facts.cue_id for item in changed}
    await queries.lock_cues(unit, cue_ids)
    known = await queries.latest_alerts(unit, cue_ids, ROW, KNOWN_ROWS)
    past = await queries.alerts_of(unit, {item.execution.facts.id for item in changed})
    rejections = await queries.rejections(unit, notices)
    told_at = {key_of(notice.stream_id): notice.recorded_at for notice in notices}
    rows = await _failure_rows(unit, changed, known, told_at)
    raised: list[Raised] = []
    for item in changed:
        facts = item.execution.facts
        of_cue = known.setdefault(facts.cue_id, [])
        calls = alerts_called_for(
            item.execution,
            item.settings,
            rows.get(facts.id, FailureRow()),
            of_cue,
            told_at[facts.id],
            rejections.get(facts.id, ()),
        )
        for called in calls:
            if is_news(called, [*past, *of_cue], unit.now):
                cause = Meta(correlation_id=facts.id, actor="alerts", traceparent=facts.traceparent)
                event = raise_alert(unit, called, facts.cue_id, facts.account_id, cause)
                raised.append((event, item.settings))
                (of_cue if called.kind == ROW else past).insert(0, past_alert(event))
    return raised


async def _failure_rows(
    unit: PostgresUnit,
    changed: Sequence[queries.Changed],
    known: Mapping[str, Sequence[PastAlert]],
    told_at: Mapping[str, datetime],
) -> dict[str, FailureRow]:
    """Find the rows of the failures among these: look back a little, then further if need be."""
    failed = [item for item in changed if verdict(item.execution) is Verdict.FAILURE]
    sought = {
        item.execution.facts.cue_id: first_look(item.settings.alerts.consecutive_failures)
        for item in failed
    }
    rows = await _rows_among(unit, failed, sought)
    unsure = []
    for item in failed:
        facts, threshold = item.execution.facts, item.settings.alerts.consecutive_failures
        of_cue = known.get(facts.cue_id, ())
        if needs_a_longer_look(facts.id, rows[facts.id], threshold, of_cue, told_at[facts.id]):
            unsure.append(item)
    longer = dict.fromkeys((item.execution.facts.cue_id for item in unsure), HISTORY)
    return rows | await _rows_among(unit, unsure, longer)


async def _rows_among(
    unit: PostgresUnit, failed: Sequence[queries.Changed], sought: Mapping[str, int]
) -> dict[str, FailureRow]:
    past = await queries.history(unit, sought) if sought else {}
    return {
        facts.id: failure_row(past[facts.cue_id], facts.id, sought[facts.cue_id])
        for facts in (item.execution.facts for item in failed)
    }


async def watch_cues(log: PostgresLog, notices: Sequence[Notice]) -> None:
    """Watch the cues that were declared, changed or resumed, from now on and as they are now."""
    async with log.transaction() as unit:
        resumed: dict[str, datetime] = {}
        for notice in notices:
            if notice.type == CueResumed.__name__:
                resumed[key_of(notice.stream_id)] = notice.recorded_at
        cue_ids = {key_of(notice.stream_id) for notice in notices}
        known = await watches.watches_of(unit, cue_ids)
        cues = await queries.cues_of(unit, cue_ids)
        needed = {
            cue_id: watch_for(cue, known.get(cue_id), resumed.get(cue_id))
            for cue_id, cue in cues.items()
        }
        await watches.put_watches(
            unit, {cue_id: watch for cue_id, watch in needed.items() if watch or cue_id in known}
        )


def raise_alert(
    unit: PostgresUnit, called: Called, cue_id: str, account_id: str, meta: Meta
) -> AlertRaised:
    """Put an alert on record."""
    event = AlertRaised(
        at=unit.now,
        alert_id=new_uuid(),
        account_id=account_id,
        cue_id=cue_id,
        kind=called.kind,
        episode=called.episode,
        execution_id=called.execution_id,
        facts=called.facts,
    )
    unit.record(CATEGORY, event.alert_id, account_id, [event], meta)
    RAISED.labels(called.kind).inc()
    return event


async def announce(unit: PostgresUnit, raised: Sequence[Raised]) -> None:
    """Write down who is to be told of these alerts."""
    if not raised:
        return
    targets = await queries.targets(unit, {event.account_id for event, _ in raised})
    told = [
        notification
        for event, settings in raised
        for notification in of_alert(event, settings, targets.get(event.account_id))
    ]
    await notifications.add(unit, told)


async def _announce_failures(
    unit: PostgresUnit, notices: Sequence[Notice], changed: Sequence[queries.Changed], links: Links
) -> None:
    failed = [item for item in changed if is_final_failure(item.execution)]
    if not failed:
        return
    failed_at = {key_of(notice.stream_id): notice.recorded_at for notice in reversed(notices)}
    errors = await queries.reported_errors(unit, [item.execution for item in failed])
    told: list[Notification] = []
    for item in failed:
        key = item.execution.facts.id
        link = links.execution(key)
        told += of_failure(item.execution, item.settings, errors.get(key), failed_at[key], link)
    await notifications.add(unit, told)


async def _doubt_successes(
    unit: PostgresUnit, notices: Sequence[Notice], changed: Sequence[queries.Changed]
) -> None:
    """Look anew at cues whose callbacks took the work and then reported that it had failed."""
    doubtful = {
        key_of(notice.stream_id)
        for notice in notices
        if notice.type in (OutcomeReported.__name__, VerificationFailed.__name__)
    }
    facts = [item.execution.facts for item in changed]
    cue_ids = {f.cue_id for f in facts if f.id in doubtful and f.delivered_at is not None}
    if cue_ids:
        await watches.look_again(unit, cue_ids)
