"""What the alerts service does about events and commands: load, decide, append, answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.events.alerts import CATEGORY, AcknowledgeAlert, AlertRaised
from libs.events.answers import Done
from libs.events.base import Command, Rejection, Value, key_of
from libs.events.cues import CueResumed
from libs.events.envelope import Meta, Notice
from libs.events.executions import OutcomeReported, VerificationFailed
from libs.events.log import PostgresLog, PostgresUnit
from libs.runtime.ids import new_uuid
from services.alerts import queries
from services.alerts.decider.acknowledging import acknowledge
from services.alerts.decider.episodes import Called, PastAlert, alerts_called_for, is_news
from services.alerts.decider.windows import watch_for
from services.alerts.tables import watches


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
        verdict = acknowledge(command, alert, unit.now)
        if isinstance(verdict, Rejection):
            return verdict
        unit.record(CATEGORY, command.alert_id, command.account_id, verdict, meta)
        return Done()


async def raise_alerts(log: PostgresLog, notices: Sequence[Notice]) -> int:
    """Raise the alerts that these events call for and that are not there yet; give how many."""
    async with log.transaction() as unit:
        changed = await queries.changed(unit, {key_of(notice.stream_id) for notice in notices})
        cue_ids = {item.execution.facts.cue_id for item in changed}
        if not cue_ids:
            return 0
        history = await queries.history(unit, cue_ids)
        rows = await queries.latest_alerts(unit, cue_ids, "consecutive_failure")
        past = await queries.alerts_of(unit, {item.execution.facts.id for item in changed})
        rejections = await queries.rejections(unit, notices)
        await _doubt_successes(unit, notices, changed)
        raised = 0
        for item in changed:
            facts = item.execution.facts
            calls = alerts_called_for(
                item.execution,
                item.settings,
                history[facts.cue_id],
                rows.get(facts.cue_id),
                rejections.get(facts.id, ()),
            )
            for called in calls:
                if is_news(called, past, unit.now):
                    cause = Meta(
                        correlation_id=facts.id, actor="alerts", traceparent=facts.traceparent
                    )
                    told = raise_alert(unit, called, facts.cue_id, facts.account_id, cause)
                    past.append(told)
                    if called.kind == "consecutive_failure":
                        rows[facts.cue_id] = told
                    raised += 1
        return raised


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
) -> PastAlert:
    """Put an alert on record, and give it as the next decision sees it."""
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
    return PastAlert(
        kind=called.kind,
        episode=called.episode,
        created_at=unit.now,
        execution_id=called.execution_id,
    )


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
