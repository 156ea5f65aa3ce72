"""The alerts service's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog

from libs.events.base import category_of
from libs.events.cues import (
    CATEGORY as CUE,
)
from libs.events.envelope import CommandEnvelope, Notice, Reply
from libs.events.execution_events import OutcomeReported
from libs.events.executions import CATEGORY as EXECUTION
from libs.events.handle import handle
from libs.events.service import Resources, run_service
from libs.events.timers import DueLoop
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.names import NameLookup
from libs.runtime.sampling import Sampling
from libs.runtime.supervisor import Opened, Part
from services.alerts.adapters.webhook import HttpWebhook
from services.alerts.handlers import AlertDesk, raise_alerts, watch_cues
from services.alerts.rules.links import Links
from services.alerts.settings import AlertsSettings
from services.alerts.timers.noticing import NoticeAccounts, sample
from services.alerts.timers.preparing import Desk
from services.alerts.timers.telling import SLOTS, TellPeople
from services.alerts.timers.windows import WatchWindows

NAME = "alerts"

log = structlog.get_logger()


def main() -> int:
    """Run the alerts service; give the exit code."""
    settings = AlertsSettings()
    return run_service(NAME, settings, partial(_assemble, settings))


def _assemble(settings: AlertsSettings, resources: Resources) -> Sequence[Part]:
    links = Links(dashboard_url=settings.dashboard_url, base_url=settings.base_url)
    policy = settings.announced_egress()
    names = NameLookup()
    client = OutboundClient(policy, names, user_agent="CueAPI/1.0", max_connections=SLOTS)
    desk = Desk(settings.mailer(names), HttpWebhook(client, policy), settings.keyring(), links)
    appended = partial(resources.bus.nudge, "relay")
    tell = TellPeople(resources.log, desk, on_free=lambda: telling.nudge(), on_appended=appended)
    telling = DueLoop("begin notifications", tell.run_once, resources.health)

    async def raised() -> None:
        telling.nudge()
        await appended()

    windows = WatchWindows(resources.log, on_appended=raised)
    watching = DueLoop("watch windows", windows.run_once, resources.health)
    accounts = NoticeAccounts(resources.log)
    noticing = DueLoop("notice accounts", accounts.run_once, resources.health)

    async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        replies = await handle(resources.log, envelopes, AlertDesk())
        watching.nudge()
        await appended()
        return replies

    async def events(notices: Sequence[Notice]) -> None:
        if cues := [n for n in notices if category_of(n.stream_id) == CUE]:
            await watch_cues(resources.log, cues)
        bad = [n for n in notices if category_of(n.stream_id) == EXECUTION and not _is_good(n)]
        if bad:
            await raise_alerts(resources.log, bad, links)
            watching.nudge()
            await raised()

    resources.receiver.commands(NAME, commands)
    resources.receiver.events(NAME, events)
    sampling = Sampling(partial(sample, resources.database), resources.health)
    return [Opened("outbound connections", client), tell, sampling, telling, watching, noticing]


def _is_good(notice: Notice) -> bool:
    return notice.type == OutcomeReported.__name__ and notice.success is True
