"""Systems that are broken on purpose: the simulation must find each of them.

Each is a part that is given to the world in place of the right one; nothing is patched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from typing_extensions import override

from libs.events.base import Command, Event, Rejection, Value, VerificationMode
from libs.events.cues import (
    SlotsSkipped,
)
from libs.events.envelope import Meta
from libs.events.execution_commands import ClaimExecution, ReportOutcome
from libs.events.execution_events import ExecutionClaimed, ExecutionScheduled, OutcomeReported
from libs.events.executions import CATEGORY, Claimed
from libs.events.memory import MemoryUnit, Unique
from libs.events.unit import StreamKey
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Conflict
from services.alerts import queries as alert_queries
from services.dispatcher.handlers.workers import WorkerDesk
from services.outcomes.handlers import OutcomeDesk
from tests.simulation.engine import Process
from tests.simulation.services import (
    SERVICES,
    TERMS,
    Outside,
    commands_of,
    dispatcher,
    outcomes,
)
from tests.simulation.statements.every import TWINS
from tests.simulation.statements.rows import none
from tests.simulation.store import Store, StoreUnit
from tests.simulation.world import Parts


def _permit_twins(store: Store, constraint: str) -> None:
    for claim in [claim for claim in store.unique if claim[0] == constraint]:
        del store.unique[claim]


class FiresTwice(StoreUnit):
    """Makes a second execution of a slot now and then, and nothing forbids it."""

    @override
    def record(
        self, category: str, key: str, account_id: str, events: Sequence[Event], meta: Meta
    ) -> None:
        super().record(category, key, account_id, events, meta)
        for event in events:
            if isinstance(event, ExecutionScheduled) and event.triggered_by == "scheduled":
                again = replace(event, execution_id=new_uuid())
                super().record(category, again.execution_id, account_id, [again], meta)

    @override
    def flush(self) -> None:
        _permit_twins(self.store, "slot")
        super().flush()

    @override
    def _claims(self) -> tuple[set[Unique], Mapping[Unique, StreamKey | str]]:
        try:
            return super()._claims()
        except Conflict:
            return set(), {}


class LosesEvents(StoreUnit):
    """Leaves events of some kind out, or writes others in their place."""

    def instead(self, event: Event) -> Event | None:
        """Give what is recorded of an event."""
        raise NotImplementedError

    @override
    def record(
        self, category: str, key: str, account_id: str, events: Sequence[Event], meta: Meta
    ) -> None:
        kept = [new for event in events if (new := self.instead(event)) is not None]
        super().record(category, key, account_id, kept, meta)


class LosesSkippedSlots(LosesEvents):
    """A pause takes the slots that were due with it, without a word."""

    @override
    def instead(self, event: Event) -> Event | None:
        silent = isinstance(event, SlotsSkipped) and event.reason == "paused"
        return None if silent else event


class CountsNothingLate(StoreUnit):
    """Executions that were caught up are not counted."""

    @override
    def _count(self) -> None:
        kept = self.recorded
        self.recorded = [
            item for item in kept if getattr(item.event, "triggered_by", "") != "catch_up"
        ]
        super()._count()
        self.recorded = kept


class TellsAgain(StoreUnit):
    """Nothing forbids a second alert for an episode."""

    @override
    def flush(self) -> None:
        _permit_twins(self.store, "episode")
        super().flush()


class OverwritingDesk(OutcomeDesk):
    """The last outcome stands, not the first."""

    @override
    def handle(self, unit: Any, command: Command, meta: Meta) -> Value | Rejection:
        verdict = super().handle(unit, command, meta)
        refused = isinstance(verdict, Rejection) and verdict.code == "outcome_already_recorded"
        if refused and isinstance(command, ReportOutcome):
            event = OutcomeReported(
                at=unit.now, report=command.report, source="api", mode=VerificationMode.NONE
            )
            unit.record(CATEGORY, command.execution_id, command.account_id, [event], meta)
        return verdict


class StealingDesk(WorkerDesk):
    """Lends out what another worker holds."""

    @override
    def handle(self, unit: Any, command: Command, meta: Meta) -> Value | Rejection:
        verdict = super().handle(unit, command, meta)
        if isinstance(verdict, Rejection) and isinstance(command, ClaimExecution):
            held = unit.state(CATEGORY, command.execution_id)
            if isinstance(held, Claimed):
                event = ExecutionClaimed(
                    at=unit.now,
                    epoch=held.facts.attempts + 1,
                    worker_id=command.worker_id,
                    lease_seconds=held.lease_seconds,
                    lease_until=held.lease_until,
                    expires_at=held.expires_at,
                )
                unit.record(CATEGORY, command.execution_id, command.account_id, [event], meta)
        return verdict


class AnswersFirst(StoreUnit):
    """Answers 2xx, and forgets now and then what it had promised."""

    @override
    def flush(self) -> None:
        if self.results and len(self.store.events) % 10 == 9:
            self.recorded.clear()
            return
        super().flush()


def _overwriting(process: Process, store: Store, outside: Outside) -> None:
    outcomes(process, store, outside)
    commands_of(process, store.through(process.step), OverwritingDesk())


def _stealing(process: Process, store: Store, outside: Outside) -> None:
    dispatcher(process, store, outside)
    commands_of(process, store.through(process.step), StealingDesk(TERMS))


def _with(unit: Callable[[Store], MemoryUnit]) -> Parts:
    return Parts(unit=unit)


_BLIND = {alert_queries._LATEST_ALERTS: none, alert_queries._ALERTS_OF_EXECUTIONS: none}

MUTANTS: Mapping[str, tuple[Parts, str]] = {
    "double fire": (_with(FiresTwice), "is due 1 times: 2 executions"),
    "slots lost at a pause": (_with(LosesSkippedSlots), "0 executions, 0 skips"),
    "leases without a fence": (
        Parts(services={**SERVICES, "dispatcher": _stealing}),
        "holds the lease",
    ),
    "outcome twice": (
        Parts(services={**SERVICES, "outcomes": _overwriting}),
        "OutcomeReported after OutcomeReported",
    ),
    "usage not counted": (_with(CountsNothingLate), "usage is"),
    "alert twice": (Parts(unit=TellsAgain, twins={**TWINS, **_BLIND}), "alerts were raised for"),
    "2xx before the commit": (_with(AnswersFirst), "2xx without a record"),
}
"""What is broken, and a part of what must be said of it."""
