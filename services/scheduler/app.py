"""The scheduler's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from libs.events.base import key_of
from libs.events.envelope import CommandEnvelope, Notice, Reply
from libs.events.handle import handle
from libs.events.relay import Relay
from libs.events.service import Resources, run_service
from libs.events.timers import DueLoop
from libs.events.upkeep import Upkeep
from libs.runtime.sampling import Sampling
from libs.runtime.supervisor import Part
from services.scheduler.handlers import CueDesk, pause_failing_cues
from services.scheduler.settings import SchedulerSettings
from services.scheduler.timers import FireDueCues, SettleOnceCues, sample

NAME = "scheduler"
SETTLE_SECONDS = 0.1


def main() -> int:
    """Run the scheduler; give the exit code."""
    settings = SchedulerSettings()

    def assemble(resources: Resources) -> Sequence[Part]:
        log, health, receiver = resources.log, resources.health, resources.receiver
        enforce = not settings.disable_quota_enforcement
        unclaimed = timedelta(seconds=settings.unclaimed_timeout_seconds)
        relay = Relay(
            resources.database, resources.bus, health, stream_replicas=settings.stream_replicas
        )
        appended = partial(resources.bus.nudge, "relay")
        fire = FireDueCues(log, enforce_limits=enforce, unclaimed=unclaimed, on_appended=appended)
        firing = DueLoop("fire due cues", fire.run_once, health)
        settle = SettleOnceCues(log, on_appended=appended)
        settling = DueLoop("settle once cues", settle.run_once, health, gather=SETTLE_SECONDS)
        desk = CueDesk(enforce_limits=enforce, unclaimed=unclaimed, on_nearer=firing.nudge)

        async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
            replies = await handle(log, envelopes, desk)
            await appended()
            return replies

        async def events(notices: Sequence[Notice]) -> None:
            settle.hint(key_of(notice.stream_id) for notice in notices)
            settling.nudge()
            if await pause_failing_cues(log, notices):
                await appended()

        receiver.commands(NAME, commands)
        receiver.events(NAME, events)
        receiver.nudges("relay", relay.nudge)
        sampling = Sampling(partial(sample, resources.database), health)
        return [relay, Upkeep(resources.database, health), sampling, firing, settling]

    return run_service(NAME, settings, assemble)
