"""What the alerts service does about events and commands: load, decide, append, answer."""

from __future__ import annotations

from collections.abc import Sequence

from libs.events.alerts import CATEGORY, AcknowledgeAlert, AlertRaised
from libs.events.answers import Done
from libs.events.base import Command, Rejection, Value, key_of
from libs.events.envelope import Meta, Notice
from libs.events.executions import Facts
from libs.events.log import PostgresLog, PostgresUnit
from libs.runtime.ids import new_uuid
from services.alerts import queries
from services.alerts.decider import Called, acknowledge, alerts_called_for


class AlertDesk:
    """Handles the commands to alerts, a micro-batch at a time."""

    async def load(self, unit: PostgresUnit, commands: Sequence[Command]) -> None:
        """Lock the alerts."""
        await unit.lock(CATEGORY, {c.alert_id for c in commands if isinstance(c, AcknowledgeAlert)})

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
        known = await queries.episodes(unit, cue_ids)
        raised = 0
        for item in changed:
            facts = item.execution.facts
            seen = {
                episode
                for (cue_id, _, episode), acknowledged in known.items()
                if acknowledged and cue_id == facts.cue_id
            }
            calls = alerts_called_for(item.execution, item.settings, history[facts.cue_id], seen)
            for called in calls:
                if (facts.cue_id, called.kind, called.episode) not in known:
                    known[facts.cue_id, called.kind, called.episode] = False
                    _raise(unit, called, facts)
                    raised += 1
        return raised


def _raise(unit: PostgresUnit, called: Called, facts: Facts) -> None:
    event = AlertRaised(
        at=unit.now,
        alert_id=new_uuid(),
        account_id=facts.account_id,
        cue_id=facts.cue_id,
        kind=called.kind,
        episode=called.episode,
        execution_id=called.execution_id,
        facts=called.facts,
    )
    meta = Meta(correlation_id=facts.id, actor="alerts", traceparent=facts.traceparent)
    unit.record(CATEGORY, event.alert_id, facts.account_id, [event], meta)
