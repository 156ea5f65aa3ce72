"""Commands to cues: load, decide, append, answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import assert_never, cast

from msgspec.structs import replace

from libs.events.accounts import Plan
from libs.events.answers import CueAnswer, ExecutionAnswer
from libs.events.base import Command, Rejection, Value, key_of
from libs.events.cues import (
    ActiveCue,
    CreateCue,
    Cue,
    CueCommand,
    DeleteCue,
    FireCue,
    ReplayExecution,
    UpdateCue,
    status,
)
from libs.events.envelope import Meta, Notice
from libs.events.execution_events import (
    DeliveryFailed,
    ExecutionMissed,
    ExecutionScheduled,
    OutcomeReported,
)
from libs.events.executions import CATEGORY as EXECUTION
from libs.events.log import PostgresLog, PostgresUnit
from services.scheduler import queries
from services.scheduler.decider import cues as cue_decisions
from services.scheduler.decider import firing
from services.scheduler.decider.limits import Account, account_gone, counted

CUE = "cue"
SYSTEM = Meta(correlation_id="settle", actor="system")


class CueDesk:
    """Handles the scheduler's commands, a micro-batch at a time."""

    def __init__(
        self, *, enforce_limits: bool, unclaimed: timedelta, on_nearer: Callable[[float], None]
    ) -> None:
        self._enforce = enforce_limits
        self._unclaimed = unclaimed
        self._on_nearer = on_nearer
        self._open: Mapping[str, Plan] = {}
        self._accounts: dict[str, Account] = {}
        self._names: dict[tuple[str, str], str] = {}

    async def load(self, unit: PostgresUnit, commands: Sequence[Command]) -> None:
        """Lock the cues, and read what limits and names the commands are decided by."""
        self._accounts, self._names = {}, {}
        named = [_wanted_name(c) for c in commands]
        if wanted := [name for name in named if name is not None]:
            self._names = await queries.taken_names(unit, wanted)
        replayed = [c.replayed_id for c in commands if isinstance(c, ReplayExecution)]
        await unit.lock(EXECUTION, replayed)
        states = [unit.state(EXECUTION, key) for key in replayed]
        cue_ids = {cue_id for c in commands if (cue_id := getattr(c, "cue_id", None))}
        await unit.lock(CUE, cue_ids | {s.facts.cue_id for s in states if s is not None})
        declaring = {c.account_id for c in commands if isinstance(c, CreateCue | UpdateCue)}
        self._open = await queries.allowances(unit, declaring) if declaring else {}
        if self._enforce:
            await self._load_limits(unit, commands)

    async def _load_limits(self, unit: PostgresUnit, commands: Sequence[Command]) -> None:
        firing_ = {c.account_id for c in commands if isinstance(c, FireCue | ReplayExecution)}
        if self._open:
            self._accounts = await queries.active_cues(unit, self._open)
        if firing_:
            for account_id, used in (await queries.usage(unit, firing_)).items():
                known = self._accounts.get(account_id, used)
                self._accounts[account_id] = replace(
                    known, executions=used.executions, grace_started_at=used.grace_started_at
                )

    def handle(self, unit: PostgresUnit, command: Command, meta: Meta) -> Value | Rejection:
        """Decide one command, record its events, and answer."""
        known = cast("CueCommand", command)
        match known:
            case CreateCue():
                return self._create(unit, known, meta)
            case UpdateCue() | DeleteCue():
                return self._change(unit, known, meta)
            case FireCue():
                cue = self._cue(unit, known.cue_id, known.account_id)
                account = self._account(known.account_id)
                verdict = firing.fire_cue(
                    known, cue, account, unit.now, self._unclaimed, meta.traceparent
                )
                return self._record_execution(unit, verdict, meta)
            case ReplayExecution():
                return self._replay(unit, known, meta)
            case _:
                assert_never(known)

    def _create(self, unit: PostgresUnit, command: CreateCue, meta: Meta) -> Value | Rejection:
        if command.account_id not in self._open:
            return account_gone()
        account = self._account(command.account_id)
        taken = (command.account_id, command.settings.name) in self._names
        events = cue_decisions.create_cue(command, account, name_taken=taken, now=unit.now)
        if isinstance(events, Rejection):
            return events
        self._accounts[command.account_id] = replace(account, active_cues=account.active_cues + 1)
        self._names[command.account_id, command.settings.name] = command.cue_id
        unit.record(CUE, command.cue_id, command.account_id, events, meta)
        self._tell_when_due(unit, command.cue_id)
        return CueAnswer(cue_id=command.cue_id, version=unit.version(CUE, command.cue_id))

    def _change(
        self, unit: PostgresUnit, command: UpdateCue | DeleteCue, meta: Meta
    ) -> Value | Rejection:
        cue = self._cue(unit, command.cue_id, command.account_id)
        version = unit.version(CUE, command.cue_id)
        if cue is not None and command.if_version not in (None, version):
            message = f"the cue is at version {version}; read it again and decide anew"
            return Rejection(code="precondition_failed", message=message)
        if isinstance(command, DeleteCue):
            events = cue_decisions.delete_cue(command, cue, unit.now)
        else:
            account = self._account(command.account_id)
            name = (command.account_id, command.changes.get("name", ""))
            taken = self._names.get(name, command.cue_id) != command.cue_id
            events = cue_decisions.update_cue(command, cue, account, name_taken=taken, now=unit.now)
        if isinstance(events, Rejection):
            return events
        unit.record(CUE, command.cue_id, command.account_id, events, meta)
        self._recount(unit, command, cue)
        self._tell_when_due(unit, command.cue_id)
        return CueAnswer(cue_id=command.cue_id, version=unit.version(CUE, command.cue_id))

    def _tell_when_due(self, unit: PostgresUnit, cue_id: str) -> None:
        cue = unit.state(CUE, cue_id)
        if isinstance(cue, ActiveCue) and cue.next_run is not None:
            self._on_nearer((cue.next_run - unit.now).total_seconds())

    def _recount(
        self, unit: PostgresUnit, command: UpdateCue | DeleteCue, before: Cue | None
    ) -> None:
        """Let the next command of this batch see the names and counts as this one leaves them."""
        after = unit.state(CUE, command.cue_id)
        assert after is not None
        assert before is not None
        account = self._account(command.account_id)
        step = int(status(after) == "active") - int(status(before) == "active")
        self._accounts[command.account_id] = replace(
            account, active_cues=account.active_cues + step
        )
        self._names.pop((command.account_id, before.facts.settings.name), None)
        if status(after) != "deleted":
            self._names[command.account_id, after.facts.settings.name] = command.cue_id

    def _replay(
        self, unit: PostgresUnit, command: ReplayExecution, meta: Meta
    ) -> Value | Rejection:
        execution = unit.state(EXECUTION, command.replayed_id)
        if execution is not None and execution.facts.account_id != command.account_id:
            execution = None
        cue = execution and self._cue(unit, execution.facts.cue_id, command.account_id)
        account = self._account(command.account_id)
        verdict = firing.replay_execution(
            command, execution, cue, account, unit.now, self._unclaimed, meta.traceparent
        )
        return self._record_execution(unit, verdict, meta)

    def _record_execution(
        self, unit: PostgresUnit, verdict: ExecutionScheduled | Rejection, meta: Meta
    ) -> Value | Rejection:
        if isinstance(verdict, Rejection):
            return verdict
        account = self._account(verdict.account_id)
        self._accounts[verdict.account_id] = counted(account, verdict)
        unit.record(EXECUTION, verdict.execution_id, verdict.account_id, [verdict], meta)
        return ExecutionAnswer(
            execution_id=verdict.execution_id,
            cue_id=verdict.cue_id,
            scheduled_for=verdict.scheduled_for,
            triggered_by=verdict.triggered_by,
            payload=verdict.payload,
            replayed_from=verdict.replayed_from,
        )

    def _cue(self, unit: PostgresUnit, cue_id: str, account_id: str) -> Cue | None:
        cue: Cue | None = unit.state(CUE, cue_id)
        return cue if cue is not None and cue.facts.account_id == account_id else None

    def _account(self, account_id: str) -> Account:
        return self._accounts.get(account_id, Account())


async def settle_once_cues(log: PostgresLog, hinted: Collection[str]) -> int:
    """End `once` cues whose run has ended, those of hinted executions and the rest; give how many.

    Most executions belong to no such cue, so this reads first and locks only what it has found.
    """
    found = await queries.ended(log.database, hinted)
    if not found:
        return 0
    async with log.transaction() as unit:
        await unit.lock(CUE, found)
        settled = 0
        for cue_id, execution in found.items():
            cue = unit.state(CUE, cue_id)
            if events := firing.settle_once(cue, execution, unit.now):
                unit.record(CUE, cue_id, execution.facts.account_id, events, SYSTEM)
                settled += 1
        return settled


async def pause_failing_cues(log: PostgresLog, hints: Sequence[Notice]) -> int:
    """Pause the cues that want it when these executions have failed for good; give how many."""
    failed_at = {key_of(n.stream_id): n.recorded_at for n in hints if _may_be_failure(n)}
    failed = await queries.pausable(log.database, list(failed_at)) if failed_at else []
    if not failed:
        return 0
    async with log.transaction() as unit:
        cue_ids = {cue_id for cue_id, _ in failed}
        await unit.lock(CUE, cue_ids)
        moves = await queries.moves(unit, cue_ids)
        paused = 0
        for cue_id, execution in failed:
            cue, facts = unit.state(CUE, cue_id), execution.facts
            events = cue_decisions.pause_on_failure(
                cue, execution, failed_at[facts.id], moves[cue_id], unit.now
            )
            if events:
                meta = Meta(correlation_id=facts.id, actor="system", traceparent=facts.traceparent)
                unit.record(CUE, cue_id, facts.account_id, events, meta)
                paused += 1
        return paused


def _may_be_failure(notice: Notice) -> bool:
    match notice.type:
        case DeliveryFailed.__name__ | ExecutionMissed.__name__:
            return True
        case OutcomeReported.__name__:
            return notice.success is False
        case _:
            return False


def _wanted_name(command: Command) -> tuple[str, str] | None:
    match command:
        case CreateCue():
            return command.account_id, command.settings.name
        case UpdateCue(changes={"name": str() as name}):
            return command.account_id, name
        case UpdateCue():
            return command.account_id, ""
        case _:
            return None
