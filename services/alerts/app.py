"""The alerts service's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from libs.events.envelope import CommandEnvelope, Notice, Reply
from libs.events.handle import handle
from libs.events.service import Resources, run_service
from libs.runtime.supervisor import Part
from services.alerts.handlers import AlertDesk, raise_alerts
from services.alerts.settings import AlertsSettings

NAME = "alerts"


def main() -> int:
    """Run the alerts service; give the exit code."""
    return run_service(NAME, AlertsSettings(), _assemble)


def _assemble(resources: Resources) -> Sequence[Part]:
    appended = partial(resources.bus.nudge, "relay")

    async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        replies = await handle(resources.log, envelopes, AlertDesk())
        await appended()
        return replies

    async def events(notices: Sequence[Notice]) -> None:
        bad = [n for n in notices if not (n.type == "OutcomeReported" and n.success)]
        if bad and await raise_alerts(resources.log, bad):
            await appended()

    resources.receiver.commands(NAME, commands)
    resources.receiver.events(NAME, events)
    return []
