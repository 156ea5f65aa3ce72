"""The alerts service's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from libs.events.base import category_of
from libs.events.cues import CATEGORY as CUE
from libs.events.envelope import CommandEnvelope, Notice, Reply
from libs.events.executions import CATEGORY as EXECUTION
from libs.events.handle import handle
from libs.events.service import Resources, run_service
from libs.events.timers import DueLoop
from libs.runtime.supervisor import Part
from services.alerts.handlers import AlertDesk, raise_alerts, watch_cues
from services.alerts.settings import AlertsSettings
from services.alerts.timers.windows import WatchWindows

NAME = "alerts"


def main() -> int:
    """Run the alerts service; give the exit code."""
    return run_service(NAME, AlertsSettings(), _assemble)


def _assemble(resources: Resources) -> Sequence[Part]:
    appended = partial(resources.bus.nudge, "relay")
    windows = WatchWindows(resources.log, on_appended=appended)
    watching = DueLoop("watch windows", windows.run_once, resources.health)

    async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        replies = await handle(resources.log, envelopes, AlertDesk())
        watching.nudge()
        await appended()
        return replies

    async def events(notices: Sequence[Notice]) -> None:
        if cues := [n for n in notices if category_of(n.stream_id) == CUE]:
            await watch_cues(resources.log, cues)
        good = "OutcomeReported"
        ended = [n for n in notices if category_of(n.stream_id) == EXECUTION]
        bad = [n for n in ended if not (n.type == good and n.success)]
        if bad and await raise_alerts(resources.log, bad):
            await appended()

    resources.receiver.commands(NAME, commands)
    resources.receiver.events(NAME, events)
    return [watching]
