"""The commands of workers: load, decide, append, answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from libs.events.answers import ClaimAnswer, Done, HeartbeatAnswer, LeaseAnswer
from libs.events.base import Command, Rejection, Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.envelope import Meta
from libs.events.execution_commands import (
    ClaimExecution,
    ClaimNextExecution,
    DeleteWorker,
    ExtendLease,
    RecordWorkerHeartbeat,
)
from libs.events.executions import CATEGORY, Execution
from libs.events.log import PostgresUnit
from services.dispatcher import queries
from services.dispatcher.decider import claims
from services.dispatcher.decider.claims import LeaseTerms


class WorkerDesk:
    """Handles the commands of workers, a micro-batch at a time."""

    def __init__(self, terms: LeaseTerms) -> None:
        self._terms = terms
        self._claimable: dict[queries.Filter, list[queries.ClaimableExecution]] = {}
        self._cues: dict[str, CueSettings] = {}
        self._forgotten: set[tuple[str, str]] = set()

    async def load(self, unit: PostgresUnit, commands: Sequence[Command]) -> None:
        """Lock the executions named, and as many claimable ones as are asked for."""
        named = {c.execution_id for c in commands if isinstance(c, ClaimExecution | ExtendLease)}
        await unit.lock(CATEGORY, named)
        locked = [e for key in named if (e := unit.state(CATEGORY, key)) is not None]
        self._cues = {}
        if locked:
            self._cues = await queries.settings_of(unit, {e.facts.cue_id for e in locked})
        asking = [c for c in commands if isinstance(c, ClaimNextExecution)]
        self._claimable = await queries.claimable(unit, asking) if asking else {}
        beats = {
            (c.account_id, c.worker_id): {
                "account_id": c.account_id,
                "worker_id": c.worker_id,
                "handlers": c.handlers,
            }
            for c in commands
            if isinstance(c, RecordWorkerHeartbeat)
        }
        if beats:
            await queries.beat(unit, list(beats.values()))
        leaving = {(c.account_id, c.worker_id) for c in commands if isinstance(c, DeleteWorker)}
        self._forgotten = await queries.forget(unit, leaving) if leaving else set()

    def handle(self, unit: PostgresUnit, command: Command, meta: Meta) -> Value | Rejection:
        """Decide one command, record its events, and answer."""
        match command:
            case RecordWorkerHeartbeat():
                return HeartbeatAnswer(at=unit.now)
            case DeleteWorker():
                return self._deleted(command)
            case ClaimExecution():
                execution = self._execution(unit, command.execution_id, command.account_id)
                return self._claim(unit, execution, command, meta)
            case ClaimNextExecution():
                return self._claim(unit, self._next(unit, command), command, meta)
            case ExtendLease():
                return self._extend(unit, command, meta)
            case _:
                raise TypeError(f"{type(command).__name__} is not the dispatcher's")

    def _deleted(self, command: DeleteWorker) -> Value | Rejection:
        name = (command.account_id, command.worker_id)
        if name not in self._forgotten:
            message = f"no worker {command.worker_id} in this account"
            return Rejection(code="worker_not_found", message=message)
        self._forgotten.remove(name)
        return Done()

    def _next(self, unit: PostgresUnit, command: ClaimNextExecution) -> Execution | None:
        waiting = self._claimable.get(queries.filter_of(command), [])
        while waiting:
            key, settings = waiting.pop(0)
            execution = cast("Execution", unit.state(CATEGORY, key))
            self._cues[execution.facts.cue_id] = settings
            verdict = claims.claim(
                execution, command.worker_id, command.lease_seconds, self._terms, unit.now
            )
            if not isinstance(verdict, Rejection):
                return execution
        return None

    def _claim(
        self,
        unit: PostgresUnit,
        execution: Execution | None,
        command: ClaimExecution | ClaimNextExecution,
        meta: Meta,
    ) -> Value | Rejection:
        if execution is None:
            return _nothing_to_claim(command)
        verdict = claims.claim(
            execution, command.worker_id, command.lease_seconds, self._terms, unit.now
        )
        if isinstance(verdict, Rejection):
            return verdict
        facts = execution.facts
        unit.record(CATEGORY, facts.id, facts.account_id, [verdict], meta)
        return ClaimAnswer(
            execution_id=facts.id,
            worker_id=verdict.worker_id,
            lease_seconds=verdict.lease_seconds,
            lease_until=verdict.lease_until,
            attempt=verdict.epoch,
            payload=facts.payload,
            cue_id=facts.cue_id,
            cue_name=self._cues[facts.cue_id].name,
            scheduled_for=facts.scheduled_for,
        )

    def _extend(self, unit: PostgresUnit, command: ExtendLease, meta: Meta) -> Value | Rejection:
        execution = self._execution(unit, command.execution_id, command.account_id)
        if execution is None:
            return _not_found(command.execution_id)
        verdict = claims.extend_lease(execution, command.worker_id, unit.now)
        if isinstance(verdict, Rejection):
            return verdict
        unit.record(CATEGORY, command.execution_id, command.account_id, [verdict], meta)
        return LeaseAnswer(execution_id=command.execution_id, lease_until=verdict.lease_until)

    def _execution(
        self, unit: PostgresUnit, execution_id: str, account_id: str
    ) -> Execution | None:
        execution: Execution | None = unit.state(CATEGORY, execution_id)
        if execution is None or execution.facts.account_id != account_id:
            return None
        # An execution is gone with its cue (contract nr 5).
        return execution if execution.facts.cue_id in self._cues else None


def _nothing_to_claim(command: ClaimExecution | ClaimNextExecution) -> Rejection:
    if isinstance(command, ClaimExecution):
        return _not_found(command.execution_id)
    return Rejection(code="claim_failed", message="nothing to claim now; ask again later")


def _not_found(execution_id: str) -> Rejection:
    message = f"no execution {execution_id} in this account"
    return Rejection(code="execution_not_found", message=message)
