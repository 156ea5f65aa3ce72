"""The outcomes service's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from libs.events.envelope import CommandEnvelope, Notice, Reply
from libs.events.handle import handle
from libs.events.service import Resources, run_service
from libs.events.timers import DueLoop
from libs.runtime.sampling import Sampling
from libs.runtime.supervisor import Part
from services.outcomes.handlers import OutcomeDesk
from services.outcomes.settings import OutcomesSettings
from services.outcomes.timers import DecideDueOutcomes, sample

NAME = "outcomes"


def main() -> int:
    """Run the outcomes service; give the exit code."""
    return run_service(NAME, OutcomesSettings(), _assemble)


def _assemble(resources: Resources) -> Sequence[Part]:
    appended = partial(resources.bus.nudge, "relay")
    decide = DecideDueOutcomes(resources.log, on_appended=appended)
    due = DueLoop("decide due outcomes", decide.run_once, resources.health)
    desk = OutcomeDesk()

    async def commands(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        replies = await handle(resources.log, envelopes, desk)
        await appended()
        return replies

    async def events(_: Sequence[Notice]) -> None:
        due.nudge()

    resources.receiver.commands(NAME, commands)
    resources.receiver.events(NAME, events)
    return [Sampling(partial(sample, resources.database), resources.health), due]
